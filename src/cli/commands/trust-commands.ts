import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const TRUST_EXAMPLES = `  ecru trust docker | sudo sh
  ecru trust podman --url https://registry.example.com --fingerprint 5E:1C:… --write
  ecru trust containerd --host registry.example.com --host 123456789012.dkr.ecr.eu-west-3.amazonaws.com --write`
const HELPER_EXAMPLES = `  echo registry.example.com | ecru credential-helper get
  docker-credential-ecru get   # the same, as docker calls it; see docs/operations.md`

/** What clients need to come in: `ecru trust`, `ecru credential-helper`. */
export function describeTrust({ command }: CommandLine): void {
  const summary = "Make docker, podman, containerd, k3s or the system trust the server's certificates, or print how."
  command(
    { name: 'trust <client>', summary, examples: TRUST_EXAMPLES, variables: [...WHERE, 'ECRU_REGISTRY_HOST'] },
    async (invocation, [client = '']) => {
      const { trust } = await import('../trust.ts')
      return await trust(client, invocation)
    },
  )
    .option(
      '--host <host>',
      'The host as image names have it, with its port unless that is 443; may be repeated.',
      (host: string, earlier: readonly string[] = []) => [...earlier, host],
    )
    .option('--fingerprint <sha256>', 'Go on only if this is the fingerprint of the authority.')
    .option('--write', 'Write the files and run the commands on this machine, instead of printing them.')
    .option(...URL_OPTION)

  command(
    {
      name: 'credential-helper <action>',
      summary: "Log docker and its relatives in with AWS credentials: docker's protocol for credential helpers.",
      examples: HELPER_EXAMPLES,
      variables: [],
    },
    async (invocation, [action = '']) => {
      const { helpWithCredentials } = await import('../credential-helper.ts')
      return await helpWithCredentials(action, await Bun.stdin.text(), invocation.terminal)
    },
  )
}
