import { beforeEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { Digest } from '../../src/domain/digest.ts'
import { PLAIN, SERVER_VAULT, type Vault } from '../../src/domain/vault.ts'
import { MemoryBlobStore } from '../../src/stores/blobs/memory.ts'
import { SealedBlobStore } from '../../src/stores/blobs/sealed.ts'
import { CHUNK_BYTES, HEADER_BYTES, SealedSizes } from '../../src/stores/blobs/sealed-format.ts'
import type { UploadKey } from '../../src/stores/blobs.ts'
import { bytesOf, chunksOf, digestOf, expectCode, rejection, someBytes } from '../suites/blob-bytes.ts'
import { FakeVaultKeys } from '../support/fake-vault-keys.ts'

const vault = SERVER_VAULT
const twice = 'dsse.eu-west-3.123456789012.1234abcd' as Vault
const other = 'kms.eu-west-3.123456789012.1234abcd' as Vault
const { frameBytes, sealBytes } = new SealedSizes(vault)

let keys: FakeVaultKeys
let driver: MemoryBlobStore
let store: SealedBlobStore

beforeEach(() => {
  keys = new FakeVaultKeys()
  driver = new MemoryBlobStore()
  store = new SealedBlobStore(driver, keys)
})

async function stored(bytes: Uint8Array, where: Vault = vault): Promise<Digest> {
  const key = await store.startUpload(where)
  await store.append(key, 0, chunksOf(bytes))
  await store.commit(key, digestOf(bytes))
  return digestOf(bytes)
}

/** What the driver keeps. */
const raw = async (digest: Digest, where: Vault = vault) => bytesOf(await driver.read({ vault: where, digest }))

/** Puts other bytes in their place. */
async function replace(digest: Digest, bytes: Uint8Array, where: Vault = vault): Promise<void> {
  const key = await driver.startUpload(where)
  await driver.append(key, 0, chunksOf(bytes))
  await driver.commit(key, digest)
}

const read = async (digest: Digest, range?: { first: number; last: number }) =>
  bytesOf(await store.read({ vault, digest }, range))
const expectBroken = async (reading: Promise<unknown>) =>
  expect(await rejection(reading)).toHaveProperty('name', 'SealBroken')
const frame = (bytes: Uint8Array, chunk: number) => {
  const from = HEADER_BYTES + chunk * frameBytes
  return bytes.subarray(from, from + frameBytes)
}

describe('content of a vault', () => {
  test('of any size comes back as it went in, whole and in any range, whatever the parts it came in', async () => {
    const near = fc
      .integer({ min: 0, max: 3 })
      .chain((n) => fc.integer({ min: -2, max: 2 }).map((d) => n * CHUNK_BYTES + d))
    const size = fc.oneof(fc.nat(3 * CHUNK_BYTES), near).map((bytes) => Math.max(0, bytes))
    await fc.assert(
      fc.asyncProperty(
        size,
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 3 }),
        fc.array(fc.tuple(fc.double({ min: 0, max: 1, noNaN: true }), fc.double({ min: 0, max: 1, noNaN: true })), {
          maxLength: 4,
        }),
        fc.constantFrom(vault, twice),
        async (sizeBytes, cuts, spans, where) => {
          const bytes = someBytes(sizeBytes, sizeBytes + 1)
          const key = await store.startUpload(where)
          const ends = [...cuts.map((cut) => Math.floor(cut * sizeBytes)).sort((a, b) => a - b), sizeBytes]
          let at = 0
          for (const end of ends) {
            at = await store.append(key, at, chunksOf(bytes.subarray(at, end), 10_007))
            expect(await store.uploadSize(key)).toBe(end)
          }
          expect(Buffer.compare(await bytesOf(await store.readUpload(key)), bytes)).toBe(0)
          const digest = digestOf(bytes)
          expect((await store.commit(key, digest)).sizeBytes).toBe(sizeBytes)
          expect((await store.find({ vault: where, digest }))?.sizeBytes).toBe(sizeBytes)
          expect(Buffer.compare(await bytesOf(await store.read({ vault: where, digest })), bytes)).toBe(0)
          if (sizeBytes === 0) return
          for (const [a, b] of spans) {
            const [first = 0, last = 0] = [a, b]
              .map((share) => Math.floor(share * (sizeBytes - 1)))
              .sort((x, y) => x - y)
            const got = await bytesOf(await store.read({ vault: where, digest }, { first, last }))
            expect(Buffer.compare(got, bytes.subarray(first, last + 1))).toBe(0)
          }
        },
      ),
      { numRuns: 60 },
    )
  })

  test('does not lie there in clear, neither staged nor stored', async () => {
    const secret = 'the very secret words of this test'
    const bytes = Buffer.from(`${'x'.repeat(70_000)}${secret}${'y'.repeat(70_000)}${secret}`)
    const key = await store.startUpload(vault)
    await store.append(key, 0, chunksOf(bytes))
    const seen = [await bytesOf(await driver.readUpload(key)), (await driver.note(key)) ?? new Uint8Array(0)]
    await store.commit(key, digestOf(bytes))
    seen.push(await raw(digestOf(bytes)))
    for (const kept of seen) {
      expect(kept.byteLength).toBeGreaterThan(1000)
      expect(Buffer.from(kept).includes(secret)).toBe(false)
      expect(Buffer.from(kept).includes('xxxxxxxx')).toBe(false)
    }
  })

  test('is stored once for each vault', async () => {
    const bytes = someBytes(1000)
    const digest = await stored(bytes, PLAIN)
    await stored(bytes, vault)
    await stored(bytes, other)
    await store.delete({ vault, digest })
    expect(await store.find({ vault, digest })).toBeUndefined()
    expect(await bytesOf(await store.read({ vault: other, digest }))).toEqual(bytes)
    expect(await bytesOf(await store.read({ vault: PLAIN, digest }))).toEqual(bytes)
    expect((await Array.fromAsync(store.list())).map((info) => [info.vault as string, info.sizeBytes])).toEqual([
      ['', 1000],
      [other, 1000],
    ])
  })

  test('costs 28 bytes for each 64 KiB and a header, and twice that when it is encrypted twice', async () => {
    const bytes = someBytes(CHUNK_BYTES + 1)
    expect((await raw(await stored(bytes))).byteLength).toBe(HEADER_BYTES + bytes.byteLength + 2 * 28)
    expect((await raw(await stored(bytes, twice), twice)).byteLength).toBe(HEADER_BYTES + bytes.byteLength + 4 * 28)
  })
})

describe('what was changed is found out', () => {
  test('each single bit', async () => {
    const digest = await stored(someBytes(100))
    const good = await raw(digest)
    for (let bit = 0; bit < good.byteLength * 8; bit++) {
      const bad = good.slice()
      bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
      await replace(digest, bad)
      const outcome = await read(digest).then(
        () => 'read',
        (thrown: Error) => thrown.name,
      )
      if (outcome !== 'SealBroken') throw new Error(`bit ${bit}: ${outcome}`)
    }
  })

  test('any bit of a longer one, by the time it is read to its end', async () => {
    const digest = await stored(someBytes(2 * CHUNK_BYTES + 5))
    const good = await raw(digest)
    await fc.assert(
      fc.asyncProperty(fc.nat(good.byteLength * 8 - 1), async (bit) => {
        const bad = good.slice()
        bad[bit >> 3] = (bad[bit >> 3] ?? 0) ^ (1 << (bit & 7))
        await replace(digest, bad)
        await expectBroken(read(digest))
      }),
      { numRuns: 40 },
    )
  })

  test('a part that is missing at the end, wherever it is cut', async () => {
    const digest = await stored(someBytes(2 * CHUNK_BYTES + 5))
    const good = await raw(digest)
    const ends = [0, HEADER_BYTES, HEADER_BYTES + frameBytes, HEADER_BYTES + 2 * frameBytes, good.byteLength]
    const cuts = ends.flatMap((end) => [end - sealBytes - 1, end - sealBytes, end - 1, end, end + 1])
    for (const cut of cuts.filter((bytes) => bytes >= 0 && bytes < good.byteLength)) {
      await replace(digest, good.subarray(0, cut))
      await expectBroken(read(digest))
      await expectBroken(read(digest, { first: 0, last: 0 }))
    }
  })

  test('something added at the end', async () => {
    const digest = await stored(someBytes(10))
    await replace(digest, Buffer.concat([await raw(digest), new Uint8Array(1)]))
    await expectBroken(read(digest))
  })

  test('chunks that have changed places', async () => {
    const digest = await stored(someBytes(3 * CHUNK_BYTES))
    const good = await raw(digest)
    const bad = good.slice()
    bad.set(frame(good, 0), HEADER_BYTES + frameBytes)
    bad.set(frame(good, 1), HEADER_BYTES)
    await replace(digest, bad)
    await expectBroken(read(digest))
    expect(await read(digest, { first: 2 * CHUNK_BYTES, last: 2 * CHUNK_BYTES })).toHaveLength(1)
  })

  test('a chunk of another blob, and another blob altogether', async () => {
    const [one, two] = [await stored(someBytes(2 * CHUNK_BYTES, 1)), await stored(someBytes(2 * CHUNK_BYTES, 2))]
    const bad = (await raw(one)).slice()
    bad.set(frame(await raw(two), 1), HEADER_BYTES + frameBytes)
    const whole = await raw(two)
    await replace(one, bad)
    await expectBroken(read(one))
    await replace(one, whole)
    await expectBroken(read(one, { first: 0, last: 0 }))
  })

  test('a blob that was brought from another vault', async () => {
    const digest = await stored(someBytes(10), other)
    await replace(digest, await raw(digest, other))
    await expectBroken(read(digest))
  })

  test('but not by those who read another part', async () => {
    const digest = await stored(someBytes(3 * CHUNK_BYTES))
    const bad = (await raw(digest)).slice()
    bad[HEADER_BYTES + frameBytes + 100] = 1 ^ (bad[HEADER_BYTES + frameBytes + 100] ?? 0)
    await replace(digest, bad)
    expect(await read(digest, { first: 0, last: CHUNK_BYTES - 1 })).toHaveLength(CHUNK_BYTES)
    await expectBroken(read(digest, { first: 0, last: CHUNK_BYTES }))
  })
})

describe('an upload', () => {
  const bytes = someBytes(3 * CHUNK_BYTES)

  async function staged(sizeBytes: number): Promise<UploadKey> {
    const key = await store.startUpload(vault)
    await store.append(key, 0, chunksOf(bytes.subarray(0, sizeBytes)))
    return key
  }

  async function finish(key: UploadKey): Promise<void> {
    const at = (await store.uploadSize(key)) ?? 0
    await store.append(key, at, chunksOf(bytes.subarray(at)))
    await store.commit(key, digestOf(bytes))
    expect(Buffer.compare(await read(digestOf(bytes)), bytes)).toBe(0)
  }

  test('goes on where a crash has left half a chunk', async () => {
    const key = await staged(CHUNK_BYTES + 100)
    const size = (await driver.uploadSize(key)) ?? 0
    await driver.append(key, size, chunksOf(someBytes(30_000)))
    expect(await store.uploadSize(key)).toBe(CHUNK_BYTES + 100)
    await finish(key)
  })

  test('goes on where a crash has left chunks whose rest was not noted', async () => {
    const key = await staged(100)
    const old = (await driver.note(key)) ?? new Uint8Array(0)
    await store.append(key, 100, chunksOf(bytes.subarray(100, CHUNK_BYTES + 50)))
    await driver.putNote(key, old)
    expect(await store.uploadSize(key)).toBe(CHUNK_BYTES)
    await finish(key)
  })

  test('goes on where a crash came between its last chunk and its new name', async () => {
    for (const sizeBytes of [CHUNK_BYTES, CHUNK_BYTES + 1, 2 * CHUNK_BYTES - 1]) {
      const key = await staged(sizeBytes)
      const digest = digestOf(bytes.subarray(0, sizeBytes))
      const crash = new Error('crash')
      const dying = new SealedBlobStore(
        new Proxy(driver, {
          get: (target, name) => {
            if (name === 'commit') return () => Promise.reject(crash)
            const member: unknown = Reflect.get(target, name, target)
            return typeof member === 'function' ? member.bind(target) : member
          },
        }),
        keys,
      )
      expect(await rejection(dying.commit(key, digest))).toBe(crash)
      expect(await store.uploadSize(key)).toBe(sizeBytes)
      await finish(key)
    }
  })

  test('that power loss has spoilt is not there any more', async () => {
    const spoilt = await staged(100)
    await driver.putNote(spoilt, new Uint8Array(200))
    await expectCode(store.append(spoilt, 172 - sealBytes, chunksOf(bytes)), 'upload-not-found')
    expect(await store.uploadSize(spoilt)).toBeUndefined()

    const holed = await staged(CHUNK_BYTES)
    await driver.cutUpload(holed, HEADER_BYTES)
    await driver.append(holed, HEADER_BYTES, chunksOf(new Uint8Array(frameBytes)))
    await expectCode(store.readUpload(holed).then(bytesOf), 'upload-not-found')
    expect(await store.uploadSize(holed)).toBeUndefined()
  })

  test('never uses a nonce twice, however often it is resumed', async () => {
    const key = await store.startUpload(vault)
    const nonces: string[] = []
    const noted = (sealed: Uint8Array) => nonces.push(Buffer.from(sealed.subarray(0, 12)).toString('hex'))
    for (let at = 0; at < bytes.byteLength; ) {
      at = await store.append(key, at, chunksOf(bytes.subarray(at, at + 20_000)))
      const note = await driver.note(key)
      if (at < bytes.byteLength && note !== undefined) noted(note.subarray(8))
    }
    const kept = await bytesOf(await driver.readUpload(key))
    for (let chunk = 0; chunk < 3; chunk++) noted(frame(kept, chunk))
    noted(kept.subarray(968))
    expect(new Set(nonces).size).toBe(nonces.length)
    expect(nonces.length).toBeGreaterThan(10)
  })

  test('is no longer written to once its key is disabled, and goes on when it is enabled', async () => {
    const key = await staged(CHUNK_BYTES + 100)
    keys.disable(vault)
    await expectCode(store.append(key, CHUNK_BYTES + 100, chunksOf(bytes)), 'kms-key-unusable')
    await expectCode(store.commit(key, digestOf(bytes)), 'kms-key-unusable')
    await expectCode(store.startUpload(vault), 'kms-key-unusable')
    expect(await store.uploadSize(key)).toBe(CHUNK_BYTES + 100)
    keys.enable(vault)
    await finish(key)
  })
})

test('without its key, a blob is found, listed and deleted, and not read', async () => {
  const digest = await stored(someBytes(10))
  keys.disable(vault)
  await expectCode(read(digest), 'kms-key-unusable')
  expect(await store.find({ vault, digest })).toMatchObject({ sizeBytes: 10 })
  expect(await Array.fromAsync(store.list())).toHaveLength(1)
  keys.enable(vault)
  expect(await read(digest)).toHaveLength(10)
  keys.disable(vault)
  await store.delete({ vault, digest })
  expect(await Array.fromAsync(store.list())).toEqual([])
})
