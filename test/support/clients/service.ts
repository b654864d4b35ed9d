import { connect } from 'node:net'
import type { Subprocess } from 'bun'
import { ownEnvironment } from '../start-registry.ts'

const READY_WITHIN_MS = 30_000

/** A server of somebody else's, on a port of loopback, that a test may take away and bring back. */
export interface Service {
  readonly process: Subprocess
  /** It stays where it is, and answers nobody. */
  freeze(): void
  thaw(): void
  /** SIGKILL. Twice is harmless. */
  kill(): Promise<void>
}

/** Starts a server and waits until its port takes connections. Throws with what it said when that takes too long. */
export async function startService(command: readonly string[], port: number): Promise<Service> {
  const child = Bun.spawn([...command], { env: ownEnvironment(), stdin: 'ignore', stdout: 'ignore', stderr: 'ignore' })
  const kill = async () => {
    child.kill('SIGKILL')
    await child.exited
  }
  for (const startedMs = performance.now(); !(await takesConnections(port)); await Bun.sleep(20)) {
    if (child.exitCode === null && performance.now() - startedMs < READY_WITHIN_MS) continue
    await kill()
    throw new Error(`${command[0]} does not come up on port ${port}`)
  }
  return { process: child, freeze: () => child.kill('SIGSTOP'), thaw: () => child.kill('SIGCONT'), kill }
}

function takesConnections(port: number): Promise<boolean> {
  return new Promise((answered) => {
    const socket = connect({ host: '127.0.0.1', port })
    const end = (isThere: boolean) => {
      socket.destroy()
      answered(isThere)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
