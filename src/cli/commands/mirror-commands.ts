import { type CommandLine, URL_OPTION, WHERE } from './command-line.ts'

const EXAMPLES = `  ecru mirror print containerd --address https://registry.example.com --token-file token | sudo sh
  ecru mirror print docker
  ecru mirror print podman --url https://registry.example.com`

/** `ecru mirror …`. */
export function describeMirror({ command, group }: CommandLine): void {
  const mirror = group('mirror', 'Have clients pull images of other registries through this one.', EXAMPLES)
  const summary = 'Print what makes containerd, docker, podman or k3s ask here for what pull-through cache rules cache.'
  command(
    { name: 'print <client>', summary, examples: EXAMPLES, variables: WHERE },
    async (invocation, [client = '']) => {
      const { printMirror } = await import('../mirror.ts')
      return await printMirror(client, invocation)
    },
    mirror,
  )
    .option('--address <url>', 'By which clients reach the server, where that is not the address it is asked at.')
    .option('--token-file <file>', "A robot's token for pull,cache, as `ecru admin token create` prints it.")
    .option('--region <name>', "The region of the rules; otherwise the server's default region.")
    .option(...URL_OPTION)
}
