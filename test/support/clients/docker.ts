import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { ownEnvironment } from '../start-registry.ts'
import { client } from './client-test.ts'
import { inPrivateMounts } from './private-mounts.ts'
import { attempt, type CommandOptions, run } from './run-command.ts'

const READY_WITHIN_MS = 60_000

/** A Docker engine of one's own: private state and socket, no networks; its mounts vanish with it. */
export interface Docker {
  run(args: readonly string[], options?: CommandOptions): Promise<string>
  /** Runs a command that must fail and answers what it says on standard error. */
  failure(args: readonly string[], options?: CommandOptions): Promise<string>
  /** By which any `docker` on the PATH finds this engine. */
  readonly env: Readonly<Record<string, string>>
  stop(): Promise<void>
}

export interface DockerOptions {
  /** Where state, socket and configuration live. */
  readonly dir: string
  /** Registries other than loopback that speak plain HTTP. */
  readonly insecureRegistries?: readonly string[]
  /** Mirrors of Docker Hub. */
  readonly registryMirrors?: readonly string[]
  /** Names that resolve to loopback for the engine. */
  readonly hostNames?: readonly string[]
}

/** Starts a Docker engine and waits until it answers. The caller stops it. */
export async function startDocker(options: DockerOptions): Promise<Docker> {
  const { dir, insecureRegistries = [], registryMirrors = [], hostNames = [] } = options
  const config = join(dir, 'config')
  await mkdir(config, { recursive: true })
  const socket = `unix://${join(dir, 'docker.sock')}`
  const log = join(dir, 'dockerd.log')
  const daemon = [
    client('dockerd'),
    ...['--data-root', join(dir, 'data'), '--exec-root', join(dir, 'exec'), '--pidfile', join(dir, 'dockerd.pid')],
    ...[
      '-H',
      socket,
      '--iptables=false',
      '--ip6tables=false',
      '--ip-forward=false',
      '--ip-masq=false',
      '--bridge=none',
    ],
    ...['127.0.0.0/8', ...insecureRegistries].flatMap((registry) => ['--insecure-registry', registry]),
    ...registryMirrors.flatMap((mirror) => ['--registry-mirror', mirror]),
  ]
  const child = Bun.spawn([...(await inPrivateMounts(dir, hostNames)), ...daemon], {
    env: ownEnvironment(),
    stdin: 'ignore',
    stdout: Bun.file(log),
    stderr: Bun.file(`${log}.err`),
  })
  const env = { DOCKER_HOST: socket, DOCKER_CONFIG: config, DOCKER_BUILDKIT: '0' }
  const own = (given: CommandOptions = {}): CommandOptions => ({
    ...given,
    env: { ...env, ...given.env },
  })
  const stop = async () => {
    child.kill('SIGTERM')
    const forced = setTimeout(() => child.kill('SIGKILL'), 30_000)
    await child.exited
    clearTimeout(forced)
  }
  const deadline = Date.now() + READY_WITHIN_MS
  while ((await attempt([client('docker'), 'version'], own())).exitCode !== 0) {
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`dockerd did not come up\n${await Bun.file(`${log}.err`).text()}`)
    }
    await Bun.sleep(100)
  }
  return {
    env,
    run: (args, given) => run([client('docker'), ...args], own(given)),
    failure: async (args, given) => {
      const { exitCode, stdout, stderr } = await attempt([client('docker'), ...args], own(given))
      if (exitCode === 0) throw new Error(`docker ${args.join(' ')} succeeded: ${stdout}`)
      return stderr
    },
    stop,
  }
}
