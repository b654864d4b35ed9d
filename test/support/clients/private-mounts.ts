import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { client } from './client-test.ts'

/** Where container engines keep state whatever one tells them. */
const STATE_DIRECTORIES = ['/run', '/var/lib/containers']

/**
 * What to put before a command so that it runs among mounts of its own: nothing it mounts outlives it, the state it
 * keeps in the system's directories lies below `dir`, and for it alone the given names resolve to loopback.
 */
export async function inPrivateMounts(dir: string, hostNames: readonly string[] = []): Promise<readonly string[]> {
  const own = join(dir, 'private')
  const lines = hostNames.map((name) => `127.0.0.1 ${name}\n`)
  await mkdir(own, { recursive: true })
  await writeFile(join(own, 'hosts'), `${await readFile('/etc/hosts', 'utf8')}\n${lines.join('')}`)
  for (const directory of STATE_DIRECTORIES) await mkdir(join(own, directory), { recursive: true })
  const binds = STATE_DIRECTORIES.map(
    (directory) => `mkdir -p ${directory} && mount --bind "$0${directory}" ${directory}`,
  )
  const script = ['mount --bind "$0/hosts" /etc/hosts', ...binds, 'exec "$@"'].join(' && ')
  return ['unshare', '--mount', '--propagation', 'private', 'bash', '-c', script, own]
}

/** skopeo, podman or buildah, with their caches and run-time state below `dir`. */
export async function containersTool(name: 'buildah' | 'podman' | 'skopeo', dir: string): Promise<readonly string[]> {
  return [...(await inPrivateMounts(dir)), client(name)]
}
