import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const VERIFY_EXAMPLES = `  ecru audit verify --data-dir /var/lib/ecru
  ecru audit verify --json --url https://registry.example.com`
const TAIL_EXAMPLES = `  ecru audit tail --follow
  ecru audit tail --lines 1000 --json | jq 'select(.errorCode != null)'`

/** `ecru audit …`: who did what. */
export function describeAudit({ command, group }: CommandLine): void {
  const audit = group(
    'audit',
    'Say who did what, and whether the record of it is whole.',
    `${VERIFY_EXAMPLES}\n${TAIL_EXAMPLES}`,
  )
  const verifySummary = 'Read the audit log again, and say whether anything was changed, taken out or cut off.'
  command(
    { name: 'verify', summary: verifySummary, examples: VERIFY_EXAMPLES, variables: WHERE },
    async (invocation) => {
      const { verifyAudit } = await import('../audit.ts')
      return await verifyAudit(invocation)
    },
    audit,
  )
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)
  command(
    {
      name: 'tail',
      summary: 'Print the newest records of a data directory.',
      examples: TAIL_EXAMPLES,
      variables: WHERE,
    },
    async (invocation) => {
      const { tailAudit } = await import('../audit.ts')
      const interrupted = new AbortController()
      process.once('SIGINT', () => interrupted.abort())
      return await tailAudit(interrupted.signal, invocation)
    },
    audit,
  )
    .option('--lines <number>', 'How many of the newest; 10 when not said.')
    .option('--follow', 'Go on with those that come, until interrupted.')
    .option('--json', 'Print the records as they are, one a line.')
}
