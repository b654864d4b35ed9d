import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const BACKUP_EXAMPLES = `  ecru backup /backup/ecru
  ecru backup /media/usb/ecru.tar.zst
  ecru backup - | ssh other ecru restore - --data-dir /var/lib/ecru
  ecru backup /backup/ecru --keep 14 --data-dir /var/lib/ecru
  ecru backup /backup/ecru --include-keys --json`
const VERIFY_EXAMPLES = `  ecru backup verify /backup/ecru
  ecru backup verify /media/usb/ecru.tar.zst --json`
const RESTORE_EXAMPLES = `  ecru restore /backup/ecru --data-dir /var/lib/ecru
  ecru restore /media/usb/ecru.tar.zst --data-dir /var/lib/ecru
  ecru restore /backup/ecru --list
  ecru restore /backup/ecru --verify-only || echo "the backup is damaged"`

const EXPORT_EXAMPLES = `  ecru export app.tar team/app
  ecru export /media/usb/images 'team/*' --tags 'v*'
  ecru export everything.tar.zst --all --url https://registry.example.com`
const IMPORT_EXAMPLES = `  ecru import /media/usb/images
  ecru import app.tar team/app
  docker save team/app:v1 | ecru import - --prefix mirror/`
const SYNC_EXAMPLES = `  ecru sync registry.example.com/team/app
  ecru sync docker.io/library/alpine mirror/alpine --semver '>=3.18 <4'
  ecru sync 'registry.example.com/team/*' --prefix mirror/ --exclude 'team/old-*'
  ecru sync 123456789012.dkr.ecr.eu-west-3.amazonaws.com/team/app:v1 --dry-run`

/** `ecru export`, `ecru import`, `ecru sync`, `ecru backup`, `ecru restore`. */
export function describeMoving(line: CommandLine): void {
  describeImages(line)
  describeBackups(line)
}

function describeImages({ command }: CommandLine): void {
  const exporting = command(
    {
      name: 'export <layout> [repositories...]',
      summary: 'Copy repositories into an OCI image layout: a directory, or one archive (.tar, .tar.zst, .tar.gz).',
      examples: EXPORT_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, operands) => {
      const { exportImages } = await import('../moving.ts')
      return await exportImages(operands, invocation)
    },
  )
    .option('--all', 'Every repository.')
    .option('--names <form>', 'tag or full: how images are called in the layout; otherwise tag for one repository.')
  const importing = command(
    {
      name: 'import <layout> [repository]',
      summary:
        'Copy the images of an OCI image layout, or of what docker save wrote, into repositories; - is standard input.',
      examples: IMPORT_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, operands) => {
      const { importImages } = await import('../moving.ts')
      return await importImages(operands, invocation)
    },
  )
  const syncing = command(
    {
      name: 'sync <source> [repository]',
      summary: 'Copy repositories of another registry, by name or with * as a wildcard, or one image.',
      examples: SYNC_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, operands) => {
      const { syncImages } = await import('../sync.ts')
      return await syncImages(operands, invocation)
    },
  )
    .option(
      '--source-user <name>',
      "Who one is there, with the password in SOURCE_PASSWORD; otherwise docker's logins.",
    )
    .option('--source-ca <file>', 'Certificates that are trusted there beside the usual ones.')
    .option('--plain-http', 'Ask the other registry without TLS.')
    .option('--exclude <patterns...>', 'Of several repositories not these, with * as a wildcard.')
  for (const one of [importing, syncing])
    one
      .option('--prefix <text>', 'What the names of repositories begin with here.')
      .option('--no-create', 'Make no repository that is not there.')
  for (const one of [exporting, importing, syncing])
    one
      .option('--tags <patterns...>', 'Only these tags, with * as a wildcard; then nothing that has no tag.')
      .option('--semver <range>', "Only tags that are versions in this range, such as '>=1.2 <2', '^1.4' or '2.x'.")
      .option('--no-referrers', 'Leave out what refers to images: signatures, attestations, SBOMs.')
      .option(
        '--account <id>',
        'The account of the repositories; otherwise that of the credentials, or the default account.',
      )
      .option('--region <name>', 'Their region; otherwise the default region.')
      .option('--ca <file>', 'Certificates that are trusted for --url beside the usual ones.')
      .option('--parallel <count>', 'So many images, and blobs of each, at a time.', '4')
      .option('--dry-run', 'Say what would be copied, and copy nothing.')
      .option('--verbose', 'Name every image when it is done.')
      .option('--json', 'Print the report as JSON.')
      .option(...URL_OPTION)
}

function describeBackups({ command }: CommandLine): void {
  const backup = command(
    {
      name: 'backup <place>',
      summary:
        'Copy everything, beside all traffic: into a directory, what is new since the last time; into an archive (.tar, .tar.zst, .tar.gz); or (-) to standard output.',
      examples: BACKUP_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [place = '']) => {
      const { backUp } = await import('../backup.ts')
      return await backUp(place, invocation)
    },
  )
    .option(
      '--include-keys',
      'Also the master key and the TLS authority of the data directory: the backup is then a secret.',
    )
    .option('--no-advisories', 'Leave out what scans compare images with.')
    .option('--keep <count>', 'How many snapshots stay in the directory; otherwise all.')
    .option('--thorough', 'Read again what earlier backups have brought, and replace what is damaged.')
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)
  command(
    {
      name: 'verify <backup>',
      summary: 'Read every byte of a backup again, and compare it with its checksum.',
      examples: VERIFY_EXAMPLES,
      variables: [],
    },
    async (invocation, [place = '']) => {
      const { verifyBackup } = await import('../restore.ts')
      return await verifyBackup(invocation.flags, place, invocation.terminal)
    },
    backup,
  )
    .option('--snapshot <id>', 'Only this one; otherwise all that are there.')
    .option('--json', 'Print the report as JSON.')
  command(
    {
      name: 'restore <backup>',
      summary:
        'Bring a backup, a directory, an archive or (-) standard input, into an empty data directory, every byte compared with its checksum.',
      examples: RESTORE_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [backup = '']) => {
      const { restore } = await import('../restore.ts')
      return await restore(backup, invocation)
    },
  )
    .option('--snapshot <id>', 'Which one; otherwise the newest.')
    .option('--list', 'List the snapshots.')
    .option('--verify-only', 'Restore nothing, only read everything and compare it.')
    .option('--despite-damage', 'Restore what is good, also when something is not.')
    .option('--json', 'Print the report as JSON.')
}
