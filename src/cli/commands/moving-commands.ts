import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const BACKUP_EXAMPLES = `  ecru backup /backup/ecru
  ecru backup /backup/ecru --keep 14 --data-dir /var/lib/ecru
  ecru backup /backup/ecru --include-keys --json`
const RESTORE_EXAMPLES = `  ecru restore /backup/ecru --data-dir /var/lib/ecru
  ecru restore /backup/ecru --list
  ecru restore /backup/ecru --verify-only || echo "the backup is damaged"`

/** `ecru backup`, `ecru restore`. */
export function describeMoving({ command, terminal, createApp }: CommandLine): void {
  command(
    {
      name: 'backup <directory>',
      summary: 'Copy everything into a directory, beside all traffic; only what is new since the last time.',
      examples: BACKUP_EXAMPLES,
      variables: WHERE,
    },
    async (options, flags, [directory = '']) => {
      const { backUp } = await import('../backup.ts')
      return await backUp(options, flags, directory, terminal, createApp)
    },
  )
    .option(
      '--include-keys',
      'Also the master key and the TLS authority of the data directory: the backup is then a secret.',
    )
    .option('--keep <count>', 'How many snapshots stay there; otherwise all.')
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)
  command(
    {
      name: 'restore <backup>',
      summary: 'Bring a backup into an empty data directory, every byte compared with its checksum.',
      examples: RESTORE_EXAMPLES,
      variables: WHERE,
    },
    async (options, flags, [backup = '']) => {
      const { restore } = await import('../restore.ts')
      return await restore(options, flags, backup, terminal)
    },
  )
    .option('--snapshot <id>', 'Which one; otherwise the newest.')
    .option('--list', 'List the snapshots.')
    .option('--verify-only', 'Restore nothing, only read everything and compare it.')
    .option('--despite-damage', 'Restore what is good, also when something is not.')
    .option('--json', 'Print the report as JSON.')
}
