import { SERVER_VAULT, type Vault } from '../../src/domain/vault.ts'
import { MemoryBlobStore } from '../../src/stores/blobs/memory.ts'
import { SealedBlobStore } from '../../src/stores/blobs/sealed.ts'
import { blobStoreSuite } from '../suites/blob-store.ts'
import { FakeVaultKeys } from '../support/fake-vault-keys.ts'

const twice = 'dsse.eu-west-3.123456789012.1234abcd' as Vault

blobStoreSuite('memory', async () => ({ store: new MemoryBlobStore(), cleanup: async () => {} }))

for (const vault of [SERVER_VAULT, twice])
  blobStoreSuite(
    `memory, sealed in ${vault}`,
    async () => ({ store: new SealedBlobStore(new MemoryBlobStore(), new FakeVaultKeys()), cleanup: async () => {} }),
    vault,
  )
