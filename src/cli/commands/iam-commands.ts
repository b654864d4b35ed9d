import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const EXPLAIN_EXAMPLES = `  ecru iam explain --principal arn:aws:iam::000000000000:user/ci --action ecr:PutImage --resource arn:aws:ecr:us-east-1:000000000000:repository/app
  ecru iam explain --principal arn:aws:iam::000000000000:role/ci --action ecr:BatchGetImage --resource '*' --context aws:SourceIp=10.1.2.3`

/** `ecru iam …`. */
export function describeIam({ command, group }: CommandLine): void {
  const iam = group('iam', 'Say what policies decide.', EXPLAIN_EXAMPLES)
  command(
    {
      name: 'explain',
      summary: 'Show whether somebody may do something, and what each statement of each policy has to do with it.',
      examples: EXPLAIN_EXAMPLES,
      variables: WHERE,
    },
    async (invocation) => {
      const { explainAccess } = await import('../iam.ts')
      return await explainAccess(invocation)
    },
    iam,
  )
    .requiredOption('--principal <arn>', 'The user, the role, the session of a role, or the account.')
    .requiredOption('--action <action>', 'Such as ecr:PutImage.')
    .option('--resource <arn>', 'What it is done to.', '*')
    .option(
      '--context <key=value...>',
      'What conditions find, such as aws:SourceIp=10.1.2.3; the same key may come again.',
    )
    .option('--json', 'Print the report as JSON.')
    .option(...URL_OPTION)
}
