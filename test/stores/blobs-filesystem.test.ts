import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FilesystemBlobStore } from '../../src/stores/blobs/filesystem.ts'
import { blobStoreSuite } from '../suites/blob-store.ts'

blobStoreSuite('filesystem', async () => {
  const root = await mkdtemp(join(tmpdir(), 'ecru-blobs-'))
  const cleanup = () => rm(root, { recursive: true })
  return { store: await FilesystemBlobStore.open(root), cleanup }
})
