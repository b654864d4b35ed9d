import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/**
 * What to put before a command so that it runs among mounts of its own: nothing it mounts outlives it, and for it
 * alone the given names resolve to loopback. The hosts file it sees is kept in `dir`.
 */
export async function inPrivateMounts(dir: string, hostNames: readonly string[] = []): Promise<readonly string[]> {
  await mkdir(dir, { recursive: true })
  const hosts = join(dir, 'hosts')
  const lines = hostNames.map((name) => `127.0.0.1 ${name}\n`)
  await writeFile(hosts, `${await readFile('/etc/hosts', 'utf8')}\n${lines.join('')}`)
  const script = 'mount --bind "$0" /etc/hosts && exec "$@"'
  return ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script, hosts]
}
