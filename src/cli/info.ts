import { VERSION } from '../config/version.ts'
import type { Invocation } from './invocation.ts'
import { printReport, runJob } from './jobs.ts'
import { EXIT } from './terminal.ts'

/** `ecru info`: the facts of a running server, or of a data directory that nobody works on. */
export async function info(invocation: Invocation): Promise<number> {
  const { flags, terminal } = invocation
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
  const facts = await runJob(job, invocation)
  printReport(facts, flags.json === true, terminal)
  return EXIT.ok
}
