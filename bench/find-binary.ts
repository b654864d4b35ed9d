import { join } from 'node:path'

const downloaded = join(import.meta.dir, '.cache', 'bin')

/** Finds a program among those that `install-peers.sh` built, then on PATH and in the system directories. */
export function findBinary(name: string): string | undefined {
  const path = [downloaded, process.env.PATH ?? '', '/usr/local/sbin', '/usr/sbin', '/sbin'].join(':')
  return Bun.which(name, { PATH: path }) ?? undefined
}

/** The same for a program that a workload cannot do without; throws a sentence that says how to get it. */
export function requireBinary(name: string): string {
  const path = findBinary(name)
  if (path === undefined) throw new Error(`${name} is not installed (bench/install-peers.sh installs it)`)
  return path
}
