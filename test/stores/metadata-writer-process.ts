import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { addRepository } from '../suites/metadata-store-records.ts'
import { testMasterKey } from '../support/test-master-key.ts'

/** Adds repositories without end, and says each one's number once it is promised. To be killed. */
const [file = ''] = process.argv.slice(2)
const store = await openSqliteMetadata(file, testMasterKey)
for (let n = 0; ; n++) {
  await addRepository(store, `app-${n}`)
  process.stdout.write(`${n}\n`)
}
