import { afterEach, beforeEach, describe } from 'bun:test'
import type { MetadataStore } from '../../src/stores/metadata.ts'
import { accountCases } from './metadata-store-accounts.ts'
import { archiveCases } from './metadata-store-archive.ts'
import { blobCases } from './metadata-store-blobs.ts'
import { creationTemplateCases } from './metadata-store-creation-templates.ts'
import { credentialCases } from './metadata-store-credentials.ts'
import { eventRuleCases } from './metadata-store-event-rules.ts'
import { iamCases } from './metadata-store-iam.ts'
import { imageListCases } from './metadata-store-image-lists.ts'
import { imageCases } from './metadata-store-images.ts'
import { inventoryCases } from './metadata-store-inventories.ts'
import { keyCases } from './metadata-store-keys.ts'
import { leaseCases, lifecycleCases } from './metadata-store-lifecycle.ts'
import { managedSecretCases } from './metadata-store-managed-secrets.ts'
import { metricCases } from './metadata-store-metrics.ts'
import { outboxCases } from './metadata-store-outbox.ts'
import { packageIndexCases } from './metadata-store-package-index.ts'
import { policyCases } from './metadata-store-policies.ts'
import { publicRegistryCases } from './metadata-store-public-registries.ts'
import { purgeCases } from './metadata-store-purge.ts'
import { replicationCases } from './metadata-store-replication.ts'
import { repositoryCases } from './metadata-store-repositories.ts'
import { resetCases } from './metadata-store-resets.ts'
import { scanCases } from './metadata-store-scans.ts'
import { sessionCases } from './metadata-store-sessions.ts'
import { signingCases } from './metadata-store-signing.ts'
import { transactionCases } from './metadata-store-transactions.ts'
import { uploadCases } from './metadata-store-uploads.ts'

/** What a driver's test gives the suite for each case: an empty store, and how to get rid of it. */
export interface MetadataStoreFixture {
  readonly store: MetadataStore
  readonly cleanup: () => Promise<void>
}

/** What every metadata store promises. `create` makes an empty store for each case. */
export function metadataStoreSuite(name: string, create: () => Promise<MetadataStoreFixture>): void {
  describe(`${name}: the metadata store's contract`, () => {
    let fixture: MetadataStoreFixture

    beforeEach(async () => {
      fixture = await create()
    })

    afterEach(async () => {
      await fixture.store.close()
      await fixture.cleanup()
    })

    const store = () => fixture.store
    describe('repositories', () => repositoryCases(store))
    describe('purging deleted repositories', () => purgeCases(store))
    describe('images', () => imageCases(store))
    describe('lists of images', () => imageListCases(store))
    describe('the archive', () => archiveCases(store))
    describe('blobs', () => blobCases(store))
    describe('uploads', () => uploadCases(store))
    describe('accounts', () => accountCases(store))
    describe('credentials', () => credentialCases(store))
    describe('policies', () => policyCases(store))
    describe('IAM', () => iamCases(store))
    describe('creation templates', () => creationTemplateCases(store))
    describe('lifecycle policies', () => lifecycleCases(store))
    describe('leases of jobs', () => leaseCases(store))
    describe('resets', () => resetCases(store))
    describe('inventories', () => inventoryCases(store))
    describe('keys', () => keyCases(store))
    describe('managed secrets', () => managedSecretCases(store))
    describe('sessions and tokens', () => sessionCases(store))
    describe('package index', () => packageIndexCases(store))
    describe('rules about events', () => eventRuleCases(store))
    describe('the outbox', () => outboxCases(store))
    describe('metrics and alarms', () => metricCases(store))
    describe('replication', () => replicationCases(store))
    describe('scans', () => scanCases(store))
    describe('signing', () => signingCases(store))
    describe('public registries', () => publicRegistryCases(store))
    describe('transactions', () => transactionCases(store))
  })
}
