import type { Texts } from '../config/config.ts'
import { VERSION } from '../config/version.ts'
import { printReport, runJob } from './jobs.ts'
import type { AppFactory } from './running-app.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `ecru info`: the facts of a running server, or of a data directory that nobody works on. */
export async function info(
  options: Texts,
  flags: Readonly<Record<string, unknown>>,
  terminal: Terminal,
  createApp: AppFactory,
): Promise<number> {
  const job: Parameters<typeof runJob>[0] = {
    command: 'info',
    method: 'GET',
    path: '/_ecru/info',
    runDirectly: async (app, { storage }) => ({
      name: 'ecru',
      version: VERSION,
      server: 'not running',
      dataDirectory: storage.kind === 'directory' ? storage.path : 'none',
      blobs: await app.totals(),
    }),
  }
  const facts = await runJob(job, options, flags.url, terminal, createApp)
  printReport(facts, flags.json === true, terminal)
  return EXIT.ok
}
