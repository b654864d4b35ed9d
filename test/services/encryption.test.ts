import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { type KmsKey, keyArn } from '../../src/domain/kms/key.ts'
import { MUTABLE } from '../../src/domain/mutability.ts'
import { parseTag } from '../../src/domain/names.ts'
import { GENEROUS_QUOTAS } from '../../src/domain/quotas.ts'
import type { Encryption } from '../../src/domain/repository.ts'
import { PLAIN, SERVER_VAULT, vaultOf } from '../../src/domain/vault.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { Vaults } from '../../src/services/encryption/vaults.ts'
import { Uploads } from '../../src/services/images/uploads.ts'
import { MemoryBlobStore } from '../../src/stores/blobs/memory.ts'
import { digestOf, expectCode } from '../suites/blob-bytes.ts'
import { newKey, newMaterial } from '../suites/metadata-store-keys.ts'
import {
  admin,
  chunks,
  createServices,
  GRACE_MS,
  manifestOf,
  pushImage,
  pushLayer,
  refTo,
  type Services,
} from '../support/service-fixture.ts'

const never = new AbortController().signal
const app = refTo('team/app')
const latest = parseTag('latest')
const contentOf = (text: string) => digestOf(new TextEncoder().encode(text))

let services: Services
let driver: MemoryBlobStore

async function begin(isEncryptionOn: boolean): Promise<void> {
  driver = new MemoryBlobStore()
  services = await createServices({ driver, isEncryptionOn })
}
afterEach(() => services.close())

const vaultsHolding = async (digest: Digest) =>
  (await Array.fromAsync(driver.list())).filter((info) => info.digest === digest).map(({ vault }) => vault)
const layerText = async (name: string, digest: Digest) => {
  const { read } = await services.layers.open(admin, refTo(name), digest)
  return new Response(await read()).text()
}

async function addRepository(name: string, encryption: Encryption): Promise<void> {
  const createdAt = services.clock.now()
  await services.metadata.transact(async (tx) => {
    const wanted = { ...refTo(name), createdAt, mutability: MUTABLE, isScannedOnPush: false, encryption }
    const repository = await tx.repositories.insert(wanted)
    const key = encryption.type === 'AES256' ? undefined : await tx.keys.find(encryption.kmsKeyArn.slice(-36))
    if (key !== undefined) await services.repositoryGrants.create(tx, repository, key)
  })
}

/** Uploads of a process in which the setting is another one. */
function uploadsWith(isEncryptionOn: boolean): Uploads {
  const { metadata, blobs, access, clock, keyring, repositoryGrants } = services
  return new Uploads(
    { metadata, blobs, vaults: new Vaults(keyring, repositoryGrants, isEncryptionOn), access, clock, ids: randomIds },
    { quotas: GENEROUS_QUOTAS },
  )
}

async function pushAgain(uploads: Uploads, content: string): Promise<void> {
  const id = await uploads.start(admin, app)
  const last = { place: { earlierPartBytesMin: 0 }, body: chunks(content) }
  await uploads.complete(admin, app, id, contentOf(content), last)
}

describe('with encryption on', () => {
  beforeEach(async () => {
    await begin(true)
    await services.repositories.create(admin, app)
  })

  test('layers and manifests of AES256 repositories lie in the vault of the server, and come back', async () => {
    const digest = await pushImage(services, app, 'one', 'latest')
    expect(await vaultsHolding(contentOf('layer of one'))).toEqual([SERVER_VAULT])
    expect(await layerText('team/app', contentOf('layer of one'))).toBe('layer of one')
    const kept = (await services.metadata.view.images.resolve(app, { digest }))?.found
    expect(kept?.vault).toBe(SERVER_VAULT)
    expect(Buffer.from(kept?.body ?? []).includes('schemaVersion')).toBe(false)
    const { manifest, image } = await services.images.pull(admin, app, { tag: latest })
    expect(digestOf(manifest)).toBe(digest)
    expect(image.manifestSizeBytes).toBe(manifest.byteLength)
    const batch = await services.imageBatches.get(admin, app, [{ digest }])
    expect(batch.images.map((one) => digestOf(one.manifest))).toEqual([digest])
  })

  test('annotations are listed, and lie nowhere in clear', async () => {
    const subject = await pushImage(services, app, 'one')
    const config = await pushLayer(services, app, '{}')
    const annotations = { 'org.example': 'confidential' }
    const descriptor = { mediaType: 'application/vnd.oci.image.manifest.v1+json', digest: subject, size: 1 }
    const manifest = manifestOf(config, [], { annotations, subject: descriptor })
    const { image } = await services.images.push(admin, app, { manifest, tags: [] })
    expect(image.annotations).toBeUndefined()
    const { items } = await services.imageLists.listReferrers(admin, app, subject, {}, { limit: 10 })
    expect(items.map((one) => one.annotations)).toEqual([annotations])
  })

  test('what was pushed before stays as it is, and what comes anew moves', async () => {
    await pushAgain(uploadsWith(false), 'same')
    const digest = contentOf('same')
    expect(await vaultsHolding(digest)).toEqual([PLAIN])
    expect(await layerText('team/app', digest)).toBe('same')
    await pushAgain(uploadsWith(true), 'same')
    expect((await services.layers.stat(admin, app, digest)).vault).toBe(SERVER_VAULT)
    services.clock.advance(GRACE_MS / 2)
    await services.layers.stat(admin, app, digest)
    services.clock.advance(GRACE_MS / 2 + 1)
    await services.layers.stat(admin, app, digest)
    expect((await services.gc.run(never)).deletedBlobs).toBe(1)
    expect(await vaultsHolding(digest)).toEqual([SERVER_VAULT])
    expect(await layerText('team/app', digest)).toBe('same')
  })

  test('an upload ends in the vault it began in, whatever the setting has become', async () => {
    const id = await uploadsWith(true).start(admin, app)
    const last = { place: { earlierPartBytesMin: 0 }, body: chunks('begun') }
    await uploadsWith(false).complete(admin, app, id, contentOf('begun'), last)
    expect(await vaultsHolding(contentOf('begun'))).toEqual([SERVER_VAULT])
    expect(await layerText('team/app', contentOf('begun'))).toBe('begun')
  })

  test('sizes are those of the content', async () => {
    await pushLayer(services, app, 'five!')
    expect(await services.metadata.view.blobs.totals()).toEqual({ blobCount: 1, sizeBytes: 5 })
    expect((await services.layers.stat(admin, app, contentOf('five!'))).sizeBytes).toBe(5)
    expect(await services.scrub.run(never)).toMatchObject({
      checkedBlobs: 1,
      checkedBytes: 5,
      faults: [],
      lockedBlobs: 0,
    })
  })

  test('bytes of a vault that no record knows are collected', async () => {
    const key = await services.blobs.startUpload(SERVER_VAULT)
    await services.blobs.append(key, 0, chunks('lost'))
    await services.blobs.commit(key, contentOf('lost'))
    services.clock.advance(1_000_000 * GRACE_MS)
    expect(await services.gc.run(never)).toMatchObject({ orphanedFiles: 1, deletedBlobs: 1, freedBytes: 4 })
    expect(await vaultsHolding(contentOf('lost'))).toEqual([])
  })
})

describe('repositories with keys of KMS', () => {
  let key: KmsKey
  let arn: string
  const kms = refTo('team/kms')

  beforeEach(async () => {
    await begin(false)
    key = await services.metadata.transact((tx) => tx.keys.insert(newKey(1), newMaterial(1)))
    arn = keyArn(key)
    const other = await services.metadata.transact((tx) => tx.keys.insert(newKey(2), newMaterial(2)))
    await services.repositories.create(admin, app)
    await addRepository('team/kms', { type: 'KMS', kmsKeyArn: arn })
    await addRepository('team/same', { type: 'KMS', kmsKeyArn: arn })
    await addRepository('team/twice', { type: 'KMS_DSSE', kmsKeyArn: arn })
    await addRepository('team/other', { type: 'KMS', kmsKeyArn: keyArn(other) })
  })

  const setState = (state: KmsKey['state']) => services.metadata.transact((tx) => tx.keys.update({ ...key, state }))

  test('encrypt though the setting is off, each key for itself', async () => {
    const digest = contentOf('shared')
    for (const name of ['team/app', 'team/kms', 'team/same', 'team/twice', 'team/other']) {
      await pushLayer(services, refTo(name), 'shared')
      expect(await layerText(name, digest)).toBe('shared')
    }
    expect(await vaultsHolding(digest)).toHaveLength(4)
    expect(await vaultsHolding(digest)).toContain(vaultOf({ type: 'KMS_DSSE', kmsKeyArn: arn }, false))
    expect(await services.metadata.view.blobs.totals()).toEqual({ blobCount: 4, sizeBytes: 24 })
    await services.layers.delete(admin, kms, digest)
    services.clock.advance(2 * GRACE_MS)
    for (const name of ['team/app', 'team/same', 'team/twice', 'team/other'])
      expect(await layerText(name, digest)).toBe('shared')
  })

  test('mount from repositories with the same key only, named or not', async () => {
    const digest = await pushLayer(services, kms, 'mine')
    const mount = (name: string, from?: string) =>
      services.layers.mount(admin, refTo(name), digest, from === undefined ? undefined : refTo(from))
    for (const name of ['team/app', 'team/twice', 'team/other']) {
      expect(await mount(name, 'team/kms')).toBe(false)
      expect(await mount(name)).toBe(false)
      await expectCode(services.layers.stat(admin, refTo(name), digest), 'blob-not-found')
    }
    expect(await mount('team/same')).toBe(true)
    expect(await layerText('team/same', digest)).toBe('mine')
    await pushLayer(services, app, 'mine')
    expect(await mount('team/other')).toBe(false)
    expect(await mount('team/other', 'team/app')).toBe(false)
  })

  test('fail in the words of KMS while the key cannot be used, and work again afterwards', async () => {
    const digest = await pushImage(services, kms, 'one', 'latest')
    const begun = await services.uploads.start(admin, kms)
    const manifest = (await services.images.pull(admin, kms, { tag: latest })).manifest
    const part = { place: { earlierPartBytesMin: 0 }, body: chunks('layer') }
    const attempts: readonly (() => Promise<unknown>)[] = [
      () => services.uploads.start(admin, kms),
      () => services.uploads.append(admin, kms, begun, { earlierPartBytesMin: 0 }, chunks('x')),
      () => services.uploads.complete(admin, kms, begun, contentOf('layer'), part),
      () => services.images.push(admin, kms, { manifest, tags: [parseTag('v2')] }),
      () => services.images.pull(admin, kms, { tag: latest }),
      () => layerText('team/kms', contentOf('layer of one')),
    ]
    const states = [
      ['Disabled', 'DisabledException'],
      ['PendingDeletion', 'KMSInvalidStateException'],
    ] as const
    for (const [state, kmsError] of states) {
      await setState(state)
      for (const attempt of attempts)
        await expect(attempt()).rejects.toMatchObject({ code: 'kms-key-unusable', details: { kmsError } })
      const batch = await services.imageBatches.get(admin, kms, [{ digest }])
      expect(batch.failures.map(({ code }) => code)).toEqual(['KmsError'])
      await expectCode(services.layers.ticketFor(admin, kms, contentOf('layer of one')), 'layer-inaccessible')
      // What needs no key goes on.
      expect((await services.imageLists.listTags(admin, kms, undefined, 10)).tags).toEqual([latest])
      expect((await services.layers.stat(admin, kms, contentOf('layer of one'))).sizeBytes).toBe(12)
      expect((await services.images.stat(admin, kms, { tag: latest })).digest).toBe(digest)
      expect(await services.uploads.status(admin, kms, begun)).toBe(0)
      await pushImage(services, app, 'one', 'latest')
      expect(await services.scrub.run(never)).toMatchObject({ faults: [], lockedBlobs: 2 })
    }
    await setState('Enabled')
    expect(digestOf((await services.images.pull(admin, kms, { tag: latest })).manifest)).toBe(digest)
    await services.uploads.complete(admin, kms, begun, contentOf('layer'), { ...part, body: chunks('layer') })
    expect(await layerText('team/kms', contentOf('layer'))).toBe('layer')
  })

  test('are lost for good with the key, and can still be deleted and collected', async () => {
    const digest = await pushImage(services, kms, 'one', 'latest')
    await services.metadata.transact((tx) => tx.keys.destroy(key.id))
    const gone = { code: 'kms-key-unusable', details: { kmsError: 'NotFoundException' } }
    await expect(services.images.pull(admin, kms, { tag: latest })).rejects.toMatchObject(gone)
    await expect(layerText('team/kms', contentOf('layer of one'))).rejects.toMatchObject(gone)
    await services.imageDeletion.deleteMany(admin, kms, [{ digest }])
    services.clock.advance(3 * GRACE_MS)
    expect((await services.gc.run(never)).deletedBlobs).toBe(2)
    expect(await vaultsHolding(contentOf('layer of one'))).toEqual([])
    await services.repositories.delete(admin, kms, false)
  })

  test('outlive a rotation of the key', async () => {
    await pushImage(services, kms, 'one', 'latest')
    await services.metadata.transact((tx) => tx.keys.addMaterial(key.id, newMaterial(9), new Date(1)))
    await pushLayer(services, kms, 'later')
    expect(await layerText('team/kms', contentOf('layer of one'))).toBe('layer of one')
    expect(await layerText('team/kms', contentOf('later'))).toBe('later')
    await services.images.pull(admin, kms, { tag: latest })
  })
})
