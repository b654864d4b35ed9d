import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'

/** Imports advisories, and kills itself without a word once so many records were read. */
const [directory = '', from = '', recordsMax = ''] = process.argv.slice(2)
const store = SqliteAdvisoryStore.inDirectory(directory)
await store.import({ from, at: new Date('2026-11-21T00:00:00Z') }, ({ recordsRead }) => {
  if (recordsRead >= Number(recordsMax)) process.kill(process.pid, 'SIGKILL')
})
