import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openMemoryMetadata, openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { metadataStoreSuite } from '../suites/metadata-store.ts'
import { testMasterKey } from '../support/test-master-key.ts'

metadataStoreSuite('a SQLite file', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'ecru-metadata-'))
  return {
    store: await openSqliteMetadata(join(directory, 'metadata.db'), testMasterKey),
    cleanup: () => rm(directory, { recursive: true }),
  }
})

metadataStoreSuite('SQLite in memory', async () => ({
  store: await openMemoryMetadata(testMasterKey),
  cleanup: async () => {},
}))
