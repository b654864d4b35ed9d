import { writeSync } from 'node:fs'
import { isatty } from 'node:tty'
import { runCli } from './cli/program.ts'
import type { AppFactory } from './cli/running-app.ts'

// A promise that nobody awaited is a bug, but no reason to cut everybody's requests: what was acknowledged is durable.
process.on('unhandledRejection', (reason) => {
  const error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
  write(2, `${JSON.stringify({ level: 'error', time: new Date().toISOString(), msg: 'unhandled rejection', error })}\n`)
})

/** Writes at once, so that nothing is pending at the end; a reader that went away is no failure. */
function write(descriptor: 1 | 2, text: string): void {
  try {
    let rest = Buffer.from(text)
    while (rest.byteLength > 0) rest = rest.subarray(writeSync(descriptor, rest))
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code !== 'EPIPE') throw failure
  }
}

const terminal = {
  env: process.env,
  out: (text: string) => write(1, text),
  err: (text: string) => write(2, text),
  get isWatched() {
    return isatty(2)
  },
}

async function createApp(...world: Parameters<AppFactory>): ReturnType<AppFactory> {
  const { createApp } = await import('./app.ts')
  return await createApp(...world)
}

// No `await` at the top: a bundle of this file can then be compiled to bytecode.
void runCli(process.argv.slice(2), terminal, createApp).then((exitCode) => process.exit(exitCode))
