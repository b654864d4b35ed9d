import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const STATUS_EXAMPLES = `  ecru replication status
  ecru replication status --json --url https://registry.example.com`
const RETRY_EXAMPLES = '  ecru replication retry'
const BACKFILL_EXAMPLES = `  ecru replication backfill
  ecru replication backfill --account 123456789012 --region eu-west-3`

/** `ecru replication …`. */
export function describeReplication({ command, group }: CommandLine): void {
  const replication = group(
    'replication',
    'Say how far images are on their way to other registries, and send them on it.',
    `${STATUS_EXAMPLES}\n${RETRY_EXAMPLES}\n${BACKFILL_EXAMPLES}`,
  )
  const described = (name: 'status' | 'retry' | 'backfill', summary: string, examples: string) =>
    command(
      { name, summary, examples, variables: WHERE },
      async (invocation) => {
        const { runReplication } = await import('../replication.ts')
        return await runReplication(name, invocation)
      },
      replication,
    )
      .option('--json', 'Print the report as JSON.')
      .option(...URL_OPTION)
  described(
    'status',
    'Say for each destination what is pending, for how long, and what has failed; then it ends with 1.',
    STATUS_EXAMPLES,
  )
  described('retry', 'Ask again for every copy, and every deletion, that has failed.', RETRY_EXAMPLES)
  described(
    'backfill',
    'Ask for copies of images that were pushed before replication was configured.',
    BACKFILL_EXAMPLES,
  )
    .option('--account <id>', "The account whose images are meant; otherwise the server's default account.")
    .option('--region <name>', "The region they are in; otherwise the server's default region.")
}
