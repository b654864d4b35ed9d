import { runCli } from './cli/program.ts'

// A promise that nobody awaited is a bug, but no reason to cut everybody's requests: what was acknowledged is durable.
process.on('unhandledRejection', (reason) => {
  const error = reason instanceof Error ? (reason.stack ?? reason.message) : String(reason)
  process.stderr.write(
    `${JSON.stringify({ level: 'error', time: new Date().toISOString(), msg: 'unhandled rejection', error })}\n`,
  )
})

const terminal = {
  env: process.env,
  out: (text: string) => void process.stdout.write(text),
  err: (text: string) => void process.stderr.write(text),
}

const exitCode = await runCli(process.argv.slice(2), terminal, async (config, logger) => {
  const { createApp } = await import('./app.ts')
  return await createApp(config, logger)
})
// What was written must be out before the process ends.
await new Promise<void>((resolve) => process.stdout.write('', () => resolve()))
process.exit(exitCode)
