import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { addRepository } from '../suites/metadata-store-records.ts'

/** Adds repositories without end, and says each one's number once it is promised. To be killed. */
const [file = ''] = process.argv.slice(2)
const store = await openSqliteMetadata(file)
for (let n = 0; ; n++) {
  await addRepository(store, `app-${n}`)
  process.stdout.write(`${n}\n`)
}
