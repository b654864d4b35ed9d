import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { checkArchive } from '../src/backup/checked-snapshot.ts'
import { push, servesEveryByte } from './support/clients/wire.ts'
import { buildImage, noise } from './support/image-builder.ts'
import { RegistryPlaces } from './support/registry-places.ts'

const NAME = 'team/app'
const small = (seed: string) => buildImage(seed, { layers: [{ 'data/noise': noise(seed, 200_000) }, { etc: 'same' }] })
const ADVISORIES = new URL('data/advisories/osv', import.meta.url).pathname

let places: RegistryPlaces

beforeEach(async () => {
  places = await RegistryPlaces.make()
})
afterEach(() => places.remove())

const archive = (name: string) => Bun.file(places.path(name)).stream() as AsyncIterable<Uint8Array>

async function* spoiled(name: string, at: number): AsyncGenerator<Uint8Array, void, void> {
  const bytes = await readFile(places.path(name))
  bytes[at] = (bytes[at] ?? 0) ^ 1
  yield bytes
}

async function createKey(): Promise<string> {
  const { url } = places.served
  const credentials = { accessKeyId: '000000000000', secretAccessKey: 'test' }
  const kms = new KMSClient({ endpoint: url, region: 'us-east-1', credentials })
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
  kms.destroy()
  return KeyMetadata?.Arn ?? ''
}

for (const name of ['ecru.tar', 'ecru.tar.zst', 'ecru.tar.gz'])
  describe(`a backup in one archive: ${name}`, () => {
    test('restored as it comes, serves every byte, and keeps tokens and the audit log', async () => {
      const first = await places.start('data')
      await places.createRepository(NAME)
      const image = small('one')
      await push(places.served, NAME, image, 'v1')
      const report = await first.backUp(places.order({ to: places.path(name) }))
      expect(report).toMatchObject({ blobs: 3, copiedBlobs: 3, faults: [], includesMasterKey: true })
      expect(await readdir(places.directory)).toEqual(expect.not.arrayContaining([`${name}.part`]))
      expect(await readdir(places.path('data'))).not.toContain('backup-records.db')
      expect(await checkArchive(archive(name))).toMatchObject({ blobs: 3, damaged: [] })
      const { password } = places.served
      expect(await places.restore({ from: archive(name) })).toMatchObject({
        blobs: 3,
        damaged: [],
        needsMasterKey: false,
      })
      const second = await places.start('restored')
      expect(await servesEveryByte({ url: places.served.url, password }, NAME, image)).toBe(true)
      expect((await second.verifyAudit()).isIntact).toBe(true)
      expect((await second.scrub(true)).faults).toEqual([])
    })
  })

describe('an archive', () => {
  async function backedUp(): Promise<Buffer> {
    const registry = await places.start('data')
    await places.createRepository(NAME)
    await push(places.served, NAME, small('one'), 'v1')
    await registry.backUp(places.order({ to: places.path('ecru.tar') }))
    await places.stop()
    return await readFile(places.path('ecru.tar'))
  }

  test('that is cut off anywhere restores nothing, and is gone on with by the whole one', async () => {
    const bytes = await backedUp()
    for (const length of [0, 300, 5000, bytes.length >> 1, bytes.length - 2000]) {
      await writeFile(places.path('cut.tar'), bytes.subarray(0, length))
      await expect(places.restore({ from: archive('cut.tar') })).rejects.toThrow(/cut off|no backup/)
      await expect(checkArchive(archive('cut.tar'))).rejects.toThrow(/cut off|no backup/)
    }
    await expect(places.start('restored')).rejects.toThrow('is not all there')
    expect(await places.restore({ from: archive('ecru.tar') })).toMatchObject({ damaged: [], blobsAlreadyThere: 3 })
    await places.start('restored')
    expect(await servesEveryByte(places.served, NAME, small('one'))).toBe(true)
  })

  test('in which a byte has changed says what is damaged, whatever it is', async () => {
    const bytes = await backedUp()
    const layer = small('one').layers[0]
    const where = bytes.indexOf(layer?.bytes ?? Buffer.alloc(1))
    const { damaged } = await checkArchive(spoiled('ecru.tar', where + 7))
    expect(damaged).toEqual([{ digest: layer?.digest ?? '', fault: 'corrupt' }])
    await expect(places.restore({ from: spoiled('ecru.tar', where + 7) })).rejects.toThrow('1 blobs of the snapshot')
    const despite = { from: spoiled('ecru.tar', where + 7), isDespiteDamage: true }
    expect((await places.restore(despite, 'despite')).damaged).toHaveLength(1)
    const records = bytes.indexOf('SQLite format 3')
    for (const [at, words] of [
      [records + 5000, 'metadata.db in the archive is damaged'],
      [where - 512 + 3, 'is damaged'],
      [bytes.indexOf('"blobCount"') + 3, 'is damaged'],
    ] as const)
      await expect(checkArchive(spoiled('ecru.tar', at))).rejects.toThrow(words)
  })

  test('is written whole or not at all, and never over another', async () => {
    const registry = await places.start('data')
    await writeFile(places.path('there.tar'), 'mine')
    await expect(registry.backUp(places.order({ to: places.path('there.tar') }))).rejects.toThrow('already')
    expect(await readFile(places.path('there.tar'), 'utf8')).toBe('mine')
    await expect(registry.backUp(places.order({ to: places.path('no/where.tar') }))).rejects.toThrow('no directory')
    await mkdir(places.path('full.tar.part'))
    await expect(registry.backUp(places.order({ to: places.path('full.tar') }))).rejects.toThrow('can be written')
    await expect(registry.backUp(places.order({ to: places.path('x.tar'), keep: 2 }))).rejects.toThrow('keep')
    // A failure leaves the way free for the next.
    await rm(places.path('full.tar.part'), { recursive: true })
    expect((await registry.backUp(places.order({ to: places.path('full.tar') }))).faults).toEqual([])
  })

  test('holds what the registry itself has lost as lost, and what is bad as bad', async () => {
    const registry = await places.start('data')
    await places.createRepository(NAME)
    const image = small('one')
    await push(places.served, NAME, image, 'v1')
    const [config, layer] = [image.config, image.layers[0]].map((one) => one?.digest.slice('sha256:'.length) ?? '')
    const file = (hex = '') => places.path(`data/blobs/sha256/${hex.slice(0, 2)}/${hex}`)
    await rm(file(config))
    await writeFile(file(layer), 'rotten')
    const { faults } = await registry.backUp(places.order({ to: places.path('ecru.tar') }))
    expect(faults.map(({ fault }) => fault).toSorted()).toEqual(['corrupt', 'missing'])
    expect((await checkArchive(archive('ecru.tar'))).damaged).toHaveLength(2)
    expect((await places.restore({ from: archive('ecru.tar') })).damaged).toHaveLength(2)
  })

  test('comes over the network as it is made, and whoever leaves it breaks nothing', async () => {
    await places.start('data')
    await places.createRepository(NAME)
    const image = small('one')
    await push(places.served, NAME, image, 'v1')
    const url = `${places.served.url}/_ecru/backup?to=-&includeKeys=true`
    const left = await fetch(url, { method: 'POST' })
    await left.body?.cancel()
    for (let attempt = 0; ; attempt++) {
      const answer = await fetch(url, { method: 'POST' })
      // The one that was left has to notice first.
      if (answer.status !== 200 && attempt < 100) {
        await Bun.sleep(20)
        continue
      }
      expect(answer.headers.get('content-type')).toBe('application/x-tar')
      const restored = await places.restore({ from: answer.body as AsyncIterable<Uint8Array> })
      expect(restored).toMatchObject({ blobs: 3, damaged: [], needsMasterKey: false })
      break
    }
    await places.start('restored')
    expect(await servesEveryByte(places.served, NAME, image)).toBe(true)
  })
})

for (const to of ['backup', 'ecru.tar.zst'])
  describe(`everything that an installation is: ${to}`, () => {
    const from = () => (to === 'backup' ? places.path(to) : archive(to))

    test('KMS and DSSE repositories come back with the master key, and stay closed without it', async () => {
      const first = await places.start('data')
      const kmsKey = await createKey()
      const images = { kms: small('kms'), dsse: small('dsse'), plain: small('plain') }
      await places.createRepository('kms', { encryptionType: 'KMS', kmsKey })
      await places.createRepository('dsse', { encryptionType: 'KMS_DSSE', kmsKey })
      await places.createRepository('plain')
      for (const [name, image] of Object.entries(images)) await push(places.served, name, image, 'v1')
      const report = await first.backUp(places.order({ to: places.path(to), includesKeys: false }))
      expect(report).toMatchObject({ blobs: 9, encryptedBlobs: 6, faults: [], includesMasterKey: false })
      await places.stop()
      expect(await places.restore({ from: from() })).toMatchObject({ encryptedBlobs: 6, needsMasterKey: true })
      await expect(places.start('restored')).rejects.toThrow('master key')
      // Another key opens nothing, and says so.
      await writeFile(places.path('restored/master.key'), `${Buffer.alloc(32, 7).toString('base64')}\n`, {
        mode: 0o600,
      })
      await expect(places.start('restored')).rejects.toThrow(/key/)
      await cp(places.path('data/master.key'), places.path('restored/master.key'))
      const second = await places.start('restored')
      for (const [name, image] of Object.entries(images))
        expect(await servesEveryByte(places.served, name, image)).toBe(true)
      expect(await second.scrub(true)).toMatchObject({ faults: [], lockedBlobs: 0 })
      await push(places.served, 'dsse', small('more'), 'v2')
    })

    test('the advisories come back, so that scans find what they found', async () => {
      const first = await places.start('data')
      await first.importAdvisories(ADVISORIES, { ecosystems: ['Alpine'] })
      const status = await first.advisoryStatus()
      const report = await first.backUp(places.order({ to: places.path(to) }))
      expect(report).toMatchObject({ includesAdvisories: true })
      await places.stop()
      expect(await places.restore({ from: from() })).toMatchObject({ includesAdvisories: true, damaged: [] })
      const second = await places.start('restored')
      const restored = await second.advisoryStatus()
      expect({ ...restored, ageMs: 0 }).toEqual({ ...status, ageMs: 0 })
      expect(restored.state).not.toBe('absent')
      const without = await second.backUp(places.order({ to: places.path(`without-${to}`), includesAdvisories: false }))
      expect(without).toMatchObject({ includesAdvisories: false })
    })
  })
