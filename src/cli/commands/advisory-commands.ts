import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const IMPORT_EXAMPLES = `  ecru advisories import /media/usb/osv
  ecru advisories import Debian/all.zip
  ecru advisories import https://storage.googleapis.com/osv-vulnerabilities --ecosystems Debian,Alpine,npm
  ecru advisories import /srv/converted --source vendor-csaf
  ecru advisories import oci:ecru/advisories:latest
  ecru advisories import known_exploited_vulnerabilities.json`
const STATUS_EXAMPLES = '  ecru advisories status || echo "absent or too old"'
const FETCH_EXAMPLES = '  ecru advisories fetch'

/** `ecru advisories …`: what scans compare images with. */
export function describeAdvisories({ command, group }: CommandLine): void {
  const advisories = group(
    'advisories',
    'Bring in the advisories that scans compare images with, and say what there is.',
    `${IMPORT_EXAMPLES}\n${STATUS_EXAMPLES}\n${FETCH_EXAMPLES}`,
  )
  const bringIn = command(
    {
      name: 'import <from>',
      summary: 'Import OSV records from a directory, a file (.zip, .json), a URL or an artifact; the server reads it.',
      examples: IMPORT_EXAMPLES,
      variables: WHERE,
    },
    async (invocation, [from = '']) => {
      const { importAdvisories } = await import('../advisories.ts')
      return await importAdvisories(from, invocation)
    },
    advisories,
  )
    .option('--ecosystems <names>', 'Of a bucket only these folders, with commas between.')
    .option('--source <name>', 'Who wrote the records, where it was not osv.dev: kept with them, and told by `status`.')
  const fetchNow = command(
    {
      name: 'fetch',
      summary: 'Import what has changed at ECRU_ADVISORIES_SOURCE.',
      examples: FETCH_EXAMPLES,
      variables: WHERE,
    },
    async (invocation) => {
      const { fetchAdvisories } = await import('../advisories.ts')
      return await fetchAdvisories(invocation)
    },
    advisories,
  )
  const status = command(
    {
      name: 'status',
      summary: 'Say which advisories there are and how old they are; fails when there are none, or all are too old.',
      examples: STATUS_EXAMPLES,
      variables: WHERE,
    },
    async (invocation) => {
      const { printAdvisoryStatus } = await import('../advisories.ts')
      return await printAdvisoryStatus(invocation)
    },
    advisories,
  )
  for (const described of [bringIn, fetchNow, status])
    described.option('--json', 'Print the answer as JSON.').option(...URL_OPTION)
}
