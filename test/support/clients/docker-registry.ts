import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { freePort, ownEnvironment } from '../start-registry.ts'
import { client } from './client-test.ts'

const READY_WITHIN_MS = 20_000

/** Debian's docker-registry (distribution 2), on a loopback port. */
export interface DockerRegistry {
  readonly url: string
  /** How often something was asked for that begins so, as `METHOD path`; from the registry's own access log. */
  count(prefix: string): Promise<number>
  stop(): Promise<void>
}

export interface DockerRegistryOptions {
  /** Where it keeps everything. */
  readonly dir: string
  /** Who alone may come in. */
  readonly login?: { readonly username: string; readonly password: string }
}

/** Starts one and waits until it answers. The caller stops it. */
export async function startDockerRegistry({ dir, login }: DockerRegistryOptions): Promise<DockerRegistry> {
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const config: Record<string, unknown> = {
    version: '0.1',
    log: { level: 'error' },
    storage: { filesystem: { rootdirectory: join(dir, 'registry') } },
    http: { addr: `127.0.0.1:${port}` },
  }
  if (login !== undefined) {
    const hash = await Bun.password.hash(login.password, { algorithm: 'bcrypt', cost: 4 })
    await writeFile(join(dir, 'htpasswd'), `${login.username}:${hash.replace(/^\$2[ab]\$/, '$2y$')}\n`)
    config.auth = { htpasswd: { realm: 'upstream', path: join(dir, 'htpasswd') } }
  }
  await writeFile(join(dir, 'registry.yml'), JSON.stringify(config))
  const accessLog = join(dir, 'registry.log')
  const child = Bun.spawn([client('docker-registry'), 'serve', join(dir, 'registry.yml')], {
    env: ownEnvironment(),
    stdin: 'ignore',
    stdout: Bun.file(accessLog),
    stderr: Bun.file(`${accessLog}.err`),
  })
  const stop = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  const deadline = Date.now() + READY_WITHIN_MS
  for (;;) {
    const answer = await fetch(`${url}/v2/`).catch(() => undefined)
    if (answer !== undefined) break
    if (child.exitCode !== null || Date.now() > deadline) {
      await stop()
      throw new Error(`docker-registry did not come up: ${await readFile(`${accessLog}.err`, 'utf8')}`)
    }
    await Bun.sleep(20)
  }
  return {
    url,
    count: async (prefix) => (await readFile(accessLog, 'utf8')).split(`"${prefix}`).length - 1,
    stop,
  }
}
