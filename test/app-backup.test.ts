import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { cp, mkdir, readdir, readFile, rm, truncate, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { BatchDeleteImageCommand } from '@aws-sdk/client-ecr'
import type { BackupOrder } from '../src/app/backup-runs.ts'
import { BackupFolder } from '../src/backup/backup-folder.ts'
import { checkSnapshot, checkSnapshots } from '../src/backup/checked-snapshot.ts'
import { lockFolder } from '../src/backup/folder-lock.ts'
import { push, servesEveryByte } from './support/clients/wire.ts'
import { buildImage, everyBlob, noise } from './support/image-builder.ts'
import { RegistryPlaces } from './support/registry-places.ts'

const NAME = 'team/app'
const small = (seed: string) => buildImage(seed, { layers: [{ 'data/noise': noise(seed, 20_000) }, { etc: 'same' }] })

let places: RegistryPlaces

beforeEach(async () => {
  places = await RegistryPlaces.make()
})
afterEach(() => places.remove())

const place = (name: string) => places.path(name)
const start = (name: string, env: Readonly<Record<string, string>> = {}) => places.start(name, env)
const createRepository = () => places.createRepository(NAME)
const restore = (...how: Parameters<RegistryPlaces['restore']>) => places.restore(...how)
const request = (change: Partial<BackupOrder> = {}) => places.order(change)

async function deleteImage(imageTag: string): Promise<void> {
  await places.ask((ecr) => ecr.send(new BatchDeleteImageCommand({ repositoryName: NAME, imageIds: [{ imageTag }] })))
}

const anObject = async () => {
  const objects = place('backup/objects')
  const names = (await readdir(objects, { recursive: true })).filter((name) => name.includes('/'))
  return join(objects, names.sort()[0] ?? '')
}

describe('a backup', () => {
  test('restored elsewhere, serves every byte, and keeps tokens, audit log and settings', async () => {
    const first = await start('data')
    await createRepository()
    const image = small('one')
    await push(places.served, NAME, image, 'v1')
    const report = await first.backUp(request())
    expect(report).toMatchObject({ blobs: 3, copiedBlobs: 3, faults: [], includesMasterKey: true })
    const restored = await restore()
    expect(restored).toMatchObject({ blobs: 3, damaged: [], needsMasterKey: false, blobsAlreadyThere: 0 })
    const { password } = places.served
    const second = await start('restored')
    expect(await servesEveryByte({ url: places.served.url, password }, NAME, image)).toBe(true)
    expect((await second.verifyAudit()).isIntact).toBe(true)
    expect((await second.scrub(true)).faults).toEqual([])
    await expect(readFile(place('restored/restoring.json'))).rejects.toThrow('ENOENT')
  })

  test('copies nothing twice, and shares what snapshots have in common', async () => {
    const registry = await start('data')
    await createRepository()
    await push(places.served, NAME, small('one'), 'v1')
    await registry.backUp(request())
    expect(await registry.backUp(request())).toMatchObject({ blobs: 3, copiedBlobs: 0, copiedBytes: 0 })
    await push(places.served, NAME, small('two'), 'v2')
    expect(await registry.backUp(request())).toMatchObject({ blobs: 5, copiedBlobs: 2 })
    expect(await BackupFolder.open(place('backup')).snapshotIds()).toHaveLength(3)
  })

  test('keeps the newest snapshots, and of objects what they name', async () => {
    const registry = await start('data')
    await createRepository()
    await push(places.served, NAME, small('one'), 'v1')
    await registry.backUp(request())
    await deleteImage('v1')
    await registry.collectGarbage(false)
    await push(places.served, NAME, small('two'), 'v2')
    expect(await registry.backUp(request({ keep: 1 }))).toMatchObject({ removedSnapshots: 1, blobs: 3 })
    const objects = (await readdir(place('backup/objects'), { recursive: true })).filter((name) => name.includes('/'))
    expect(objects).toHaveLength(3)
    expect((await restore()).damaged).toEqual([])
  })

  test('of another installation does not go to the same directory, and removes nothing there', async () => {
    const first = await start('data')
    await createRepository()
    await push(places.served, NAME, small('one'), 'v1')
    await first.backUp(request())
    const second = await start('other')
    await expect(second.backUp(request({ keep: 1 }))).rejects.toThrow('the backups of another installation')
    expect(await restore()).toMatchObject({ blobs: 3, damaged: [] })
    // What was restored goes on where it was.
    const restored = await start('restored')
    expect(await restored.backUp(request({ keep: 1 }))).toMatchObject({ blobs: 3, copiedBlobs: 0, removedSnapshots: 1 })
  })

  test('takes a directory that says of nobody that it is his', async () => {
    const registry = await start('data')
    await registry.backUp(request())
    const mark = place('backup/ecru-backup.json')
    await writeFile(mark, '{"format":"ecru-backup","version":1}\n')
    await registry.backUp(request())
    expect(JSON.parse(await readFile(mark, 'utf8'))).toMatchObject({
      installation: expect.stringMatching(/^[0-9a-f]{32}$/),
    })
  })

  test('of an encrypted registry holds nothing in clear, and opens with its key alone', async () => {
    const first = await start('data', { ECRU_ENCRYPTION: 'on' })
    await createRepository()
    const image = small('secret')
    await push(places.served, NAME, image, 'v1')
    expect(await first.backUp(request({ includesKeys: false }))).toMatchObject({ encryptedBlobs: 3, copiedBlobs: 3 })
    expect(await first.backUp(request({ includesKeys: false }))).toMatchObject({ encryptedBlobs: 3, copiedBlobs: 0 })
    const layer = image.layers[0]?.digest.slice('sha256:'.length) ?? ''
    expect((await readdir(place('backup/objects'), { recursive: true })).join(' ')).not.toContain(layer)
    expect(await restore()).toMatchObject({ needsMasterKey: true, encryptedBlobs: 3 })
    const env = { ECRU_ENCRYPTION: 'on' }
    await expect(start('restored', env)).rejects.toThrow('master key')
    await cp(place('data/master.key'), place('restored/master.key'))
    const second = await start('restored', env)
    expect(await servesEveryByte(places.served, NAME, image)).toBe(true)
    expect((await second.scrub(true)).faults).toEqual([])
  })

  test('keeps blobs from garbage collection while it copies them', async () => {
    const registry = await start('data')
    await createRepository()
    for (let n = 0; n < 5; n++) await push(places.served, NAME, small(`n${n}`), `v${n}`)
    const backup = registry.backUp(request())
    for (let n = 0; n < 5; n++) await deleteImage(`v${n}`)
    const { deletedBlobs } = await registry.collectGarbage(false)
    const { faults } = await backup
    expect(faults).toEqual([])
    const { blobs, damaged } = await restore()
    expect({ blobs, damaged }).toEqual({ blobs: 11, damaged: [] })
    expect(deletedBlobs + (await registry.collectGarbage(false)).deletedBlobs).toBe(11)
  })

  test('says what the registry has lost', async () => {
    const registry = await start('data')
    await createRepository()
    const image = small('one')
    await push(places.served, NAME, image, 'v1')
    const [config, layer] = [image.config, image.layers[0]].map((one) => one?.digest.slice('sha256:'.length) ?? '')
    const file = (hex = '') => place(`data/blobs/sha256/${hex.slice(0, 2)}/${hex}`)
    await rm(file(config))
    await writeFile(file(layer), 'rotten')
    const { faults } = await registry.backUp(request())
    expect(faults.map(({ fault }) => fault).toSorted()).toEqual(['corrupt', 'missing'])
    expect((await restore()).damaged).toHaveLength(2)
  })

  test('is refused where it would be lost, or where other things are', async () => {
    const registry = await start('data')
    await expect(registry.backUp(request({ to: place('data/backup') }))).rejects.toThrow('inside the data directory')
    await expect(registry.backUp(request({ to: 'backup' }))).rejects.toThrow('absolute')
    await expect(registry.backUp(request({ to: places.directory }))).rejects.toThrow('other things')
    await expect(registry.backUp(request({ keep: 0 }))).rejects.toThrow('keep')
    const [one, two] = await Promise.allSettled([registry.backUp(request()), registry.backUp(request())])
    expect([one.status, two.status]).toEqual(['fulfilled', 'rejected'])
    // Nor by another process.
    const lock = lockFolder(place('backup'))
    await expect(registry.backUp(request())).rejects.toThrow('Another backup is being written')
    lock.release()
    expect((await registry.backUp(request())).faults).toEqual([])
  })
})

describe('a restore', () => {
  beforeEach(async () => {
    const registry = await start('data')
    await createRepository()
    await push(places.served, NAME, small('one'), 'v1')
    await registry.backUp(request())
    await places.stop()
  })

  test('wants an empty directory', async () => {
    await mkdir(place('restored'))
    await writeFile(place('restored/other'), '')
    await expect(restore()).rejects.toThrow('not empty')
  })

  test('notices every byte that changed, and restores the rest when told to', async () => {
    const file = await anObject()
    const bytes = await readFile(file)
    bytes[10] = (bytes[10] ?? 0) ^ 1
    await writeFile(file, bytes)
    const folder = BackupFolder.open(place('backup'))
    const [id = ''] = await folder.snapshotIds()
    expect((await checkSnapshot(folder, id)).damaged).toMatchObject([{ fault: 'corrupt' }])
    await expect(restore()).rejects.toThrow('1 blobs of the snapshot')
    await expect(start('restored')).rejects.toThrow('is not all there')
    expect(await restore({ isDespiteDamage: true }, 'despite')).toMatchObject({ damaged: [{ fault: 'corrupt' }] })
    const second = await start('despite')
    expect((await second.scrub(true)).faults).toMatchObject([{ fault: 'missing' }])
  })

  test('and a look at it tell the next backup what to store anew', async () => {
    const folder = BackupFolder.open(place('backup'))
    for (const find of ['verify', 'restore', 'thorough backup']) {
      const file = await anObject()
      const bytes = await readFile(file)
      const rotten = Buffer.from(bytes)
      rotten[10] = (rotten[10] ?? 0) ^ 1
      await writeFile(file, rotten)
      const digest = `sha256:${basename(file)}`
      const damage = [{ digest, fault: 'corrupt' as const }]
      if (find === 'verify') expect((await checkSnapshots(folder, await folder.snapshotIds())).damaged).toEqual(damage)
      if (find === 'restore') await expect(restore({}, 'attempt')).rejects.toThrow(digest)
      // Until then it is the same, however often one looks.
      if (find === 'verify') expect((await checkSnapshots(folder, await folder.snapshotIds())).damaged).toEqual(damage)
      const registry = await start('data')
      const report = await registry.backUp(request({ isThorough: find === 'thorough backup' }))
      expect(report).toMatchObject({ copiedBlobs: 1, faults: [] })
      await places.stop()
      expect((await readFile(file)).equals(bytes)).toBe(true)
      expect(await checkSnapshots(folder, await folder.snapshotIds())).toMatchObject({ damaged: [] })
      expect(await readdir(dirname(file))).toEqual([basename(file)])
    }
  })

  test('refuses records, lists and manifests that are damaged', async () => {
    const folder = BackupFolder.open(place('backup'))
    const [id = ''] = await folder.snapshotIds()
    for (const name of ['metadata.db', 'blobs.jsonl', 'manifest.json']) {
      const file = join(folder.snapshotPath(id), name)
      const bytes = await readFile(file)
      await truncate(file, bytes.length - 5)
      await expect(restore({}, `from-${name}`)).rejects.toThrow('damaged')
      await writeFile(file, bytes)
    }
    expect((await restore()).damaged).toEqual([])
  })

  test('that was cut off is taken up, and by the same snapshot alone', async () => {
    const file = await anObject()
    const bytes = await readFile(file)
    await rm(file)
    await expect(restore()).rejects.toThrow('missing')
    await writeFile(file, bytes)
    expect(await restore()).toMatchObject({ blobs: 3, blobsAlreadyThere: 2, damaged: [] })
    await start('restored')
    expect(await servesEveryByte(places.served, NAME, small('one'))).toBe(true)
    expect(everyBlob(small('one'))).toHaveLength(4)
  })

  test('of what is no backup says so', async () => {
    await expect(restore({ from: place('data') })).rejects.toThrow('no backup')
    await expect(restore({ snapshot: '../x' })).rejects.toThrow('no snapshot')
    await expect(restore({ snapshot: '20200101T000000Z-00000000' })).rejects.toThrow('no whole snapshot')
  })
})
