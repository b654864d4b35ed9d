import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const CLOCK_EXAMPLES = `  ecru clock
  ecru clock --advance 30d
  ecru clock --advance 12h --url http://localhost:4566 --json`
const RESET_EXAMPLES = `  ecru reset --yes
  ecru reset --account 123456789012 --region eu-west-3 --yes
  ecru reset --repository team/app --yes`

/** `ecru clock` and `ecru reset`: what those who test need of the dev profile. */
export function describeDevTools({ command }: CommandLine): void {
  const clockSummary = 'Say what time it is for a running server of the dev profile, or move its clock ahead.'
  command({ name: 'clock', summary: clockSummary, examples: CLOCK_EXAMPLES, variables: WHERE }, async (invocation) => {
    const { clock } = await import('../dev-tools.ts')
    return await clock(invocation)
  })
    .option('--advance <duration>', 'Move it ahead, such as 12h or 30d, and do what has become due.')
    .option('--json', 'Print the answer as JSON.')
    .option(...URL_OPTION)

  const resetSummary = 'Empty a running server of the dev profile, or a part of it.'
  command({ name: 'reset', summary: resetSummary, examples: RESET_EXAMPLES, variables: WHERE }, async (invocation) => {
    const { reset } = await import('../dev-tools.ts')
    return await reset(invocation)
  })
    .option('--account <id>', 'Only what this account owns.')
    .option('--region <name>', 'Only what is in this region.')
    .option(
      '--repository <name>',
      "Only this repository; without --account and --region, the one of the server's defaults.",
    )
    .option('--yes', 'Do it: there is no way back.')
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)
}
