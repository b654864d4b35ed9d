import { Option } from 'commander'
import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const INFO_EXAMPLES = `  ecru info
  ecru info --url http://localhost:4566 --json`
const ENV_EXAMPLES = `  eval "$(ecru env)" && aws ecr create-repository --repository-name app
  ecru env --shell fish | source
  ecru env --shell powershell | Out-String | Invoke-Expression`

/** What those who use a registry ask for: `ecru info`, `ecru env`, `ecru version`. */
export function describeClientTools({ command }: CommandLine): void {
  command(
    { name: 'info', summary: 'Say what a registry is and holds.', examples: INFO_EXAMPLES, variables: WHERE },
    async (invocation) => {
      const { info } = await import('../info.ts')
      return await info(invocation)
    },
  )
    .option('--json', 'Print the facts as JSON.')
    .option(...URL_OPTION)

  const envSummary = 'Print the settings that point AWS tools at the registry.'
  command(
    { name: 'env', summary: envSummary, examples: ENV_EXAMPLES, variables: [...WHERE, 'ECRU_PORT'] },
    async (invocation) => {
      const { printEnvironment } = await import('../env.ts')
      return printEnvironment(invocation)
    },
  )
    .addOption(
      new Option('--shell <name>', 'The shell whose syntax is printed.')
        .choices(['bash', 'fish', 'powershell'])
        .default('bash'),
    )
    .option(...URL_OPTION)

  command(
    { name: 'version', summary: 'Print the version.', examples: '  ecru version', variables: [] },
    async ({ terminal }) => {
      const { printVersion } = await import('../version.ts')
      return printVersion(terminal)
    },
  )
}
