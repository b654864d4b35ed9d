import { MemoryBlobStore } from '../../src/stores/blobs/memory.ts'
import { blobStoreSuite } from '../suites/blob-store.ts'

blobStoreSuite('memory', async () => ({ store: new MemoryBlobStore(), cleanup: async () => {} }))
