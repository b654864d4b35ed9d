import { closeSync, openSync } from 'node:fs'
import type { Subprocess } from 'bun'

type Child = Subprocess<'ignore', number, number>

const children = new Set<Subprocess>()

/** Starts a long-running program whose output goes to a file; the caller ends it with `endChild`. */
export function startChild(command: readonly string[], logPath: string, env: Record<string, string> = {}): Child {
  const log = openSync(logPath, 'a')
  try {
    const child = Bun.spawn([...command], {
      stdin: 'ignore',
      stdout: log,
      stderr: log,
      env: { ...process.env, ...env },
    })
    track(child)
    return child
  } finally {
    closeSync(log)
  }
}

/** Asks a program to end, insists after five seconds, and resolves when it is gone; ending it twice is harmless. */
export async function endChild(child: Subprocess): Promise<void> {
  child.kill('SIGTERM')
  const insist = setTimeout(() => child.kill('SIGKILL'), 5000)
  await child.exited
  clearTimeout(insist)
}

/** Remembers a child so that `killChildren` reaches it, until it exits. */
export function track(child: Subprocess): void {
  children.add(child)
  void child.exited.then(() => children.delete(child))
}

/** Runs a program to its end and returns what it wrote to standard output; throws with its error output when it fails. */
export async function capture(command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' })
  track(child)
  const [output, errors, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ])
  if (code !== 0) throw new Error(`${command[0]} ended with ${code}: ${(errors || output).trim().slice(-500)}`)
  return output
}

/** Kills every child that still runs: the last act of a benchmark, however it ends. */
export function killChildren(): void {
  for (const child of children) child.kill('SIGKILL')
}
