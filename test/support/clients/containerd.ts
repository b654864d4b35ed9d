import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ownEnvironment } from '../start-registry.ts'
import { client } from './client-test.ts'
import { inPrivateMounts } from './private-mounts.ts'
import { attempt, run } from './run-command.ts'

const READY_WITHIN_MS = 30_000

/** A containerd of one's own: private state and socket. */
export interface Containerd {
  /** Where it keeps what it has pulled. */
  readonly contentDir: string
  /** The command line of `ctr images …` against it. */
  images(...args: readonly string[]): readonly string[]
  /** Runs `ctr images …`, which must succeed. */
  run(...args: readonly string[]): Promise<string>
  stop(): Promise<void>
}

/** Starts one and waits until it answers. The caller stops it. */
export async function startContainerd(dir: string, hostNames: readonly string[] = []): Promise<Containerd> {
  await mkdir(join(dir, 'mounts'), { recursive: true })
  const socket = join(dir, 'c.sock')
  const config = [
    'version = 2',
    `root = "${join(dir, 'root')}"`,
    `state = "${join(dir, 'state')}"`,
    'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
    '[grpc]',
    `  address = "${socket}"`,
  ]
  await writeFile(join(dir, 'config.toml'), config.join('\n'))
  const prefix = await inPrivateMounts(join(dir, 'mounts'), hostNames)
  const log = join(dir, 'containerd.log')
  const daemon = Bun.spawn([...prefix, client('containerd'), '-c', join(dir, 'config.toml')], {
    env: ownEnvironment(),
    stdin: 'ignore',
    stdout: 'ignore',
    stderr: Bun.file(log),
  })
  const images = (...args: readonly string[]) => [...prefix, client('ctr'), '-a', socket, 'images', ...args]
  const stop = async () => {
    daemon.kill('SIGTERM')
    await daemon.exited
  }
  const deadline = Date.now() + READY_WITHIN_MS
  while ((await attempt(images('ls'))).exitCode !== 0) {
    if (daemon.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`containerd did not come up: ${await Bun.file(log).text()}`)
    }
    await Bun.sleep(50)
  }
  return {
    contentDir: join(dir, 'root/io.containerd.content.v1.content/blobs'),
    images,
    run: (...args) => run(images(...args)),
    stop,
  }
}
