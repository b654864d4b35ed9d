import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Subprocess } from 'bun'
import { endChild, startChild } from './child-processes.ts'

const patienceMs = 60_000

export interface ServerProcess {
  readonly pid: number
  /** From spawning the process to its first answer. */
  readonly readyMs: number
  stop(): Promise<void>
}

/** Starts a server and waits until it answers anything at `url`; throws with the end of its log when it does not. */
export async function startServer(
  command: readonly string[],
  url: string,
  logPath: string,
  env: Record<string, string> = {},
): Promise<ServerProcess> {
  const started = performance.now()
  const child = startChild(command, logPath, env)
  try {
    await untilAnswer(child, url, started)
  } catch (error) {
    await endChild(child)
    throw new Error(`${command[0]} did not start: ${readFileSync(logPath, 'utf8').trim().slice(-600)}`, {
      cause: error,
    })
  }
  return { pid: child.pid, readyMs: performance.now() - started, stop: () => endChild(child) }
}

async function untilAnswer(child: Subprocess, url: string, started: number): Promise<void> {
  for (;;) {
    try {
      await (await fetch(url)).arrayBuffer()
      return
    } catch (error) {
      if (child.exitCode !== null) throw new Error(`exit code ${child.exitCode}`, { cause: error })
      if (performance.now() - started > patienceMs) throw new Error('no answer in time', { cause: error })
      await Bun.sleep(1)
    }
  }
}

/** A TCP port on loopback that nobody listens on at this moment. */
export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  if (address === null || typeof address === 'string') throw new Error('no free port')
  return address.port
}
