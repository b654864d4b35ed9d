import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Subprocess } from 'bun'

/** A network and an `/etc` of one's own: host names mean what the test says, and nothing that is written there outlives it. */
export interface PrivateNetwork {
  /** What to put before a command so that it runs there. */
  readonly prefix: readonly string[]
  close(): Promise<void>
}

/**
 * Opens a network with a loopback alone, where the given names resolve to it. `/etc` is a copy, in which the system's
 * certificate store may be changed. Needs root.
 */
export async function openPrivateNetwork(dir: string, hostNames: readonly string[]): Promise<PrivateNetwork> {
  const own = join(dir, 'network')
  await mkdir(join(own, 'ca-certificates'), { recursive: true })
  await writeFile(
    join(own, 'hosts'),
    `${await readFile('/etc/hosts', 'utf8')}\n${hostNames.map((name) => `127.0.0.1 ${name}\n`).join('')}`,
  )
  const script = [
    'ip link set lo up',
    'mkdir -p /usr/local/share/ca-certificates',
    'cp -a /etc "$0/etc"',
    'cp "$0/hosts" "$0/etc/hosts"',
    'mount --bind "$0/etc" /etc',
    'mount --bind "$0/ca-certificates" /usr/local/share/ca-certificates',
    'echo ready',
    'exec cat',
  ].join(' && ')
  const holder = Bun.spawn(['unshare', '--net', '--mount', '--propagation', 'private', 'bash', '-c', script, own], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'pipe',
  })
  await untilReady(holder)
  const prefix = ['nsenter', '--target', String(holder.pid), '--net', '--mount', `--wd=${process.cwd()}`, '--']
  return {
    prefix,
    async close() {
      holder.kill('SIGKILL')
      await holder.exited
      await rm(own, { recursive: true, force: true })
    },
  }
}

async function untilReady(holder: Subprocess<'pipe', 'pipe', 'pipe'>): Promise<void> {
  const reader = holder.stdout.getReader()
  let said = ''
  for (;;) {
    const { value, done } = await reader.read()
    if (done) throw new Error(`no network of one's own: ${await new Response(holder.stderr).text()}`)
    said += new TextDecoder().decode(value)
    if (said.includes('ready\n')) return
  }
}
