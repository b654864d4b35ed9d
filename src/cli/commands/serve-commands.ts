import { variable, variableNames } from '../../config/env.ts'
import type { CommandLine } from './command-line.ts'

const EXAMPLES = `  ecru serve
  ecru serve --memory --port 5000
  ecru serve --profile server --host 0.0.0.0 --tls-cert cert.pem --tls-key key.pem --data-dir /var/lib/ecru
  ecru serve --profile server --host 0.0.0.0 --tls-hosts registry.example.com`

/** `ecru serve`. */
export function describeServe({ command }: CommandLine): void {
  const variables = variableNames.filter((name) => variable(name).flag !== undefined)
  const description = { name: 'serve', summary: 'Run the registry.', examples: EXAMPLES, variables }
  command(description, async (invocation) => {
    const { serve } = await import('../serve.ts')
    return await serve(invocation)
  }).addHelpText(
    'after',
    '\nEvery option has a variable, such as ECRU_PORT for --port; docs/operations.md lists them all.',
  )
}
