import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { Digest } from '../../src/domain/digest.ts'
import { type BlobAddress, PLAIN, type Vault } from '../../src/domain/vault.ts'
import { CheckedBlobStore } from '../../src/stores/blobs/checked.ts'
import type { BlobStore, UploadKey } from '../../src/stores/blobs.ts'
import { bytesOf, chunksOf, digestOf, expectCode, rejection, someBytes, storeBlob as storeBytes } from './blob-bytes.ts'

const MIB = 1024 * 1024

/** What a driver's test gives the suite for each case: an empty store, and how to get rid of it. */
export interface BlobStoreFixture {
  readonly store: BlobStore
  readonly cleanup: () => Promise<void>
}

/** What every blob store promises, in each vault. `create` makes an empty store for each case. */
export function blobStoreSuite(name: string, create: () => Promise<BlobStoreFixture>, vault: Vault = PLAIN): void {
  describe(`${name}: the blob store's contract`, () => {
    let store: BlobStore
    let cleanup: () => Promise<void>

    beforeEach(async () => {
      const fixture = await create()
      store = new CheckedBlobStore(fixture.store)
      cleanup = fixture.cleanup
    })

    afterEach(async () => {
      await store.close()
      await cleanup()
    })

    const at = (digest: Digest): BlobAddress => ({ vault, digest })
    const storeBlob = (blobs: BlobStore, bytes: Uint8Array) => storeBytes(blobs, bytes, vault)
    const stage = async (bytes: Uint8Array): Promise<UploadKey> => {
      const key = await store.startUpload(vault)
      await store.append(key, 0, chunksOf(bytes))
      return key
    }
    const listed = async () => (await Array.fromAsync(store.list())).map(({ digest }) => digest).sort()
    const listedUploads = async () => (await Array.fromAsync(store.listUploads())).map(({ key }) => key).sort()

    describe('round trips', () => {
      for (const [title, sizeBytes] of [
        ['of zero bytes', 0],
        ['of one byte', 1],
        ['of exactly 1 MiB', MIB],
        ['of 9 MiB and a bit', 9 * MIB + 17],
      ] as const) {
        test(`a blob ${title} comes back as it went in`, async () => {
          const bytes = someBytes(sizeBytes)
          const digest = await storeBlob(store, bytes)
          expect(digestOf(await bytesOf(await store.read(at(digest))))).toBe(digest)
          expect(await store.find(at(digest))).toMatchObject({ digest, sizeBytes })
        })
      }

      test('a blob goes by its sha512', async () => {
        const bytes = someBytes(1000)
        const digest = digestOf(bytes, 'sha512')
        await store.commit(await stage(bytes), digest)
        expect(await bytesOf(await store.read(at(digest)))).toEqual(bytes)
        expect(await listed()).toEqual([digest])
        expect(await store.find(at(digestOf(bytes)))).toBeUndefined()
      })

      test('many chunks of a few bytes, and empty ones, arrive in order', async () => {
        const bytes = someBytes(40_000)
        const key = await store.startUpload(vault)
        async function* body() {
          for await (const chunk of chunksOf(bytes, 7)) {
            yield chunk
            yield new Uint8Array(0)
          }
        }
        expect(await store.append(key, 0, body())).toBe(bytes.byteLength)
        await store.commit(key, digestOf(bytes))
        expect(await bytesOf(await store.read(at(digestOf(bytes))))).toEqual(bytes)
      })

      test('one chunk larger than any buffer arrives whole', async () => {
        const bytes = someBytes(12 * MIB)
        const key = await store.startUpload(vault)
        await store.append(key, 0, chunksOf(bytes, bytes.byteLength))
        expect((await store.commit(key, digestOf(bytes))).sizeBytes).toBe(bytes.byteLength)
        expect(digestOf(await bytesOf(await store.read(at(digestOf(bytes)))))).toBe(digestOf(bytes))
      })

      test('storedAt is the moment of the commit', async () => {
        const before = Date.now()
        const digest = await storeBlob(store, someBytes(10))
        const storedAt = (await store.find(at(digest)))?.storedAt.getTime() ?? 0
        expect(storedAt).toBeGreaterThanOrEqual(before - 1)
        expect(storedAt).toBeLessThanOrEqual(Date.now())
      })
    })

    describe('reading', () => {
      const bytes = someBytes(3 * MIB + 5)
      const size = bytes.byteLength

      for (const [title, first, last] of [
        ['the first byte', 0, 0],
        ['the last byte', size - 1, size - 1],
        ['everything', 0, size - 1],
        ['all but the first byte', 1, size - 1],
        ['a span across the first MiB', MIB - 2, MIB + 1],
      ] as const) {
        test(`a range gives ${title}`, async () => {
          const digest = await storeBlob(store, bytes)
          const got = await bytesOf(await store.read(at(digest), { first, last }))
          expect(Buffer.compare(got, bytes.subarray(first, last + 1))).toBe(0)
        })
      }

      for (const [title, first, last] of [
        ['beginning behind the end', size, size],
        ['ending behind the end', 0, size],
        ['backwards', 2, 1],
        ['negative', -1, 1],
        ['broken', 0.5, 1],
        ['of NaN', Number.NaN, Number.NaN],
      ] as const) {
        test(`a range ${title} is refused`, async () => {
          const digest = await storeBlob(store, bytes)
          await expectCode(store.read(at(digest), { first, last }), 'range-not-satisfiable')
        })
      }

      test('an empty blob has no range', async () => {
        const digest = await storeBlob(store, new Uint8Array(0))
        await expectCode(store.read(at(digest), { first: 0, last: 0 }), 'range-not-satisfiable')
      })

      test('an absent blob is not found', async () => {
        const digest = digestOf(bytes)
        expect(await store.find(at(digest))).toBeUndefined()
        await expectCode(store.read(at(digest)), 'blob-not-found')
        await expectCode(store.read(at(digest), { first: 0, last: 0 }), 'blob-not-found')
      })

      test('a body may be dropped unread', async () => {
        const digest = await storeBlob(store, bytes)
        const body = await store.read(at(digest))
        if (body instanceof ReadableStream) await body.cancel()
        expect((await bytesOf(await store.read(at(digest)))).byteLength).toBe(size)
      })

      test('a body that is being read delivers to its end when the blob is deleted', async () => {
        const digest = await storeBlob(store, bytes)
        const body = await store.read(at(digest))
        const reader = (body instanceof ReadableStream ? body : body.stream()).getReader()
        const parts: Uint8Array[] = []
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          if (parts.length === 0) await store.delete(at(digest))
          parts.push(part.value)
        }
        expect(await store.find(at(digest))).toBeUndefined()
        expect(digestOf(Buffer.concat(parts))).toBe(digest)
      })

      test('something that only poses as a digest is refused', async () => {
        for (const text of ['sha256:../../etc/passwd', `sha256:${'A'.repeat(64)}`, 'md5:00', '']) {
          const digest = text as Digest
          const key = await store.startUpload(vault)
          for (const call of [
            () => store.find(at(digest)),
            () => store.read(at(digest)),
            () => store.delete(at(digest)),
            () => store.quarantine(at(digest)),
            () => store.commit(key, digest),
          ]) {
            await expectCode(call(), 'digest-invalid')
          }
        }
      })
    })

    describe('uploads', () => {
      test('a new upload holds nothing, and keys differ', async () => {
        const [one, other] = [await store.startUpload(vault), await store.startUpload(vault)]
        expect(one).not.toBe(other)
        expect(await store.uploadSize(one)).toBe(0)
        expect(await bytesOf(await store.readUpload(one))).toEqual(new Uint8Array(0))
        expect(one).toMatch(/^[A-Za-z0-9.-]+$/)
      })

      test('grows part by part, and can be read from its beginning at any time', async () => {
        const bytes = someBytes(3 * MIB)
        const key = await store.startUpload(vault)
        expect(await store.append(key, 0, chunksOf(bytes.subarray(0, MIB + 3)))).toBe(MIB + 3)
        expect(await store.uploadSize(key)).toBe(MIB + 3)
        expect(await store.append(key, MIB + 3, chunksOf(new Uint8Array(0)))).toBe(MIB + 3)
        expect(await store.append(key, MIB + 3, chunksOf(bytes.subarray(MIB + 3)))).toBe(3 * MIB)
        expect(Buffer.compare(await bytesOf(await store.readUpload(key)), bytes)).toBe(0)
        await store.commit(key, digestOf(bytes))
        expect(digestOf(await bytesOf(await store.read(at(digestOf(bytes)))))).toBe(digestOf(bytes))
      })

      for (const offset of [0, 4, 6, -1, 4.5, Number.NaN]) {
        test(`refuses offset ${offset} when five bytes are staged, and tells the size`, async () => {
          const key = await stage(someBytes(5))
          const thrown = await rejection(store.append(key, offset, chunksOf(someBytes(5))))
          expect(thrown).toMatchObject({ code: 'upload-range-invalid', details: { sizeBytes: 5 } })
          expect(await store.uploadSize(key)).toBe(5)
        })
      }

      test('reads nothing of a body that it refuses', async () => {
        let isRead = false
        async function* body() {
          isRead = true
          yield someBytes(1)
        }
        const key = await stage(someBytes(5))
        await expectCode(store.append(key, 1, body()), 'upload-range-invalid')
        expect(isRead).toBe(false)
      })

      test('a body that fails keeps what was received, and its own error is thrown', async () => {
        const bytes = someBytes(5 * MIB + 1)
        const failure = new Error('the client went away')
        async function* body() {
          yield* chunksOf(bytes.subarray(0, 3 * MIB + 1))
          throw failure
        }
        const key = await store.startUpload(vault)
        expect(await rejection(store.append(key, 0, body()))).toBe(failure)
        expect(await store.uploadSize(key)).toBe(3 * MIB + 1)
        await store.append(key, 3 * MIB + 1, chunksOf(bytes.subarray(3 * MIB + 1)))
        await store.commit(key, digestOf(bytes))
        expect(digestOf(await bytesOf(await store.read(at(digestOf(bytes)))))).toBe(digestOf(bytes))
      })

      test('a second writer, or a commit, is refused while one writes', async () => {
        const gate = Promise.withResolvers<void>()
        const bytes = someBytes(100)
        async function* body() {
          yield bytes.subarray(0, 50)
          await gate.promise
          yield bytes.subarray(50)
        }
        const key = await store.startUpload(vault)
        const append = store.append(key, 0, body())
        await expectCode(store.append(key, 0, chunksOf(bytes)), 'upload-busy')
        await expectCode(store.commit(key, digestOf(bytes)), 'upload-busy')
        gate.resolve()
        expect(await append).toBe(100)
        expect((await store.commit(key, digestOf(bytes))).sizeBytes).toBe(100)
      })

      test('an upload that is not there is not found', async () => {
        const gone = await store.startUpload(vault)
        await store.abort(gone)
        for (const key of [gone, '6f0a5d0a-4f0e-4f7c-9a43-0c6ad0f4a4f1' as UploadKey]) {
          expect(await store.uploadSize(key)).toBeUndefined()
          await expectCode(store.append(key, 0, chunksOf(someBytes(1))), 'upload-not-found')
          await expectCode(store.append(key, -1, chunksOf(someBytes(1))), 'upload-not-found')
          await expectCode(store.readUpload(key), 'upload-not-found')
          await expectCode(store.commit(key, digestOf(someBytes(1))), 'upload-not-found')
          await store.abort(key)
        }
      })

      test('abort drops the bytes, and only of that upload', async () => {
        const [dropped, kept] = [await stage(someBytes(10)), await stage(someBytes(11))]
        await store.abort(dropped)
        await store.abort(dropped)
        expect(await listedUploads()).toEqual([kept])
        expect(await store.uploadSize(kept)).toBe(11)
      })

      test('listUploads tells the moment of the last write', async () => {
        const before = Date.now()
        const keys = [await stage(someBytes(1)), await store.startUpload(vault)].sort()
        expect(await listedUploads()).toEqual(keys)
        for await (const { touchedAt } of store.listUploads()) {
          expect(touchedAt.getTime()).toBeGreaterThanOrEqual(before - 1)
          expect(touchedAt.getTime()).toBeLessThanOrEqual(Date.now())
        }
      })
    })

    describe('commit', () => {
      test('makes a blob visible that was not visible before, in no part', async () => {
        const bytes = someBytes(2 * MIB)
        const digest = digestOf(bytes)
        const gate = Promise.withResolvers<void>()
        const isHalfRead = Promise.withResolvers<void>()
        async function* body() {
          yield* chunksOf(bytes.subarray(0, MIB))
          isHalfRead.resolve()
          await gate.promise
          yield* chunksOf(bytes.subarray(MIB))
        }
        const key = await store.startUpload(vault)
        const append = store.append(key, 0, body())
        const expectInvisible = async () => {
          expect(await store.find(at(digest))).toBeUndefined()
          await expectCode(store.read(at(digest)), 'blob-not-found')
          expect(await listed()).toEqual([])
        }
        await isHalfRead.promise
        await expectInvisible()
        gate.resolve()
        await append
        await expectInvisible()
        const info = await store.commit(key, digest)
        expect(info).toMatchObject({ digest, sizeBytes: 2 * MIB })
        expect(await store.find(at(digest))).toEqual(info)
        expect(await listed()).toEqual([digest])
      })

      test('uses up the upload', async () => {
        const key = await stage(someBytes(10))
        await store.commit(key, digestOf(someBytes(10)))
        expect(await store.uploadSize(key)).toBeUndefined()
        expect(await listedUploads()).toEqual([])
        await store.abort(key)
        expect(await listed()).toEqual([digestOf(someBytes(10))])
      })

      test('twice is once', async () => {
        const key = await stage(someBytes(10))
        const info = await store.commit(key, digestOf(someBytes(10)))
        expect(await store.commit(key, digestOf(someBytes(10)))).toEqual(info)
      })

      test('of the same bytes by many at once leaves one blob and no uploads', async () => {
        const bytes = someBytes(300_000)
        const digest = digestOf(bytes)
        const keys = await Promise.all(Array.from({ length: 8 }, () => stage(bytes)))
        const infos = await Promise.all(keys.map((key) => store.commit(key, digest)))
        for (const info of infos) expect(info).toMatchObject({ digest, sizeBytes: bytes.byteLength })
        expect(await listed()).toEqual([digest])
        expect(await listedUploads()).toEqual([])
        expect(digestOf(await bytesOf(await store.read(at(digest))))).toBe(digest)
      })

      test('again of a blob that is there does not disturb its readers', async () => {
        const bytes = someBytes(3 * MIB)
        const digest = await storeBlob(store, bytes)
        const body = await store.read(at(digest))
        const reader = (body instanceof ReadableStream ? body : body.stream()).getReader()
        const parts: Uint8Array[] = []
        for (let part = await reader.read(); !part.done; part = await reader.read()) {
          if (parts.length === 0) await storeBlob(store, bytes)
          parts.push(part.value)
        }
        expect(digestOf(Buffer.concat(parts))).toBe(digest)
      })
    })

    describe('removal', () => {
      test('a deleted blob is gone, and deleting it again is fine', async () => {
        const [deleted, kept] = [await storeBlob(store, someBytes(10)), await storeBlob(store, someBytes(11))]
        await store.delete(at(deleted))
        await store.delete(at(deleted))
        expect(await store.find(at(deleted))).toBeUndefined()
        await expectCode(store.read(at(deleted)), 'blob-not-found')
        expect(await listed()).toEqual([kept])
      })

      test('a deleted blob can be stored again', async () => {
        const digest = await storeBlob(store, someBytes(10))
        await store.delete(at(digest))
        await storeBlob(store, someBytes(10))
        expect(await bytesOf(await store.read(at(digest)))).toEqual(someBytes(10))
      })

      test('a quarantined blob is never served again, until its bytes are stored anew', async () => {
        const digest = await storeBlob(store, someBytes(10))
        await store.quarantine(at(digest))
        await store.quarantine(at(digest))
        expect(await store.find(at(digest))).toBeUndefined()
        await expectCode(store.read(at(digest)), 'blob-not-found')
        expect(await listed()).toEqual([])
        await storeBlob(store, someBytes(10))
        expect(await listed()).toEqual([digest])
        await store.quarantine(at(digest))
        expect(await listed()).toEqual([])
      })

      test('a blob never stored can be deleted and quarantined', async () => {
        await store.delete(at(digestOf(someBytes(1))))
        await store.quarantine(at(digestOf(someBytes(1))))
      })
    })

    describe('the whole', () => {
      test('list names every blob once, with its size', async () => {
        const sizes = Array.from({ length: 40 }, (_, index) => index * 10)
        const digests = await Promise.all(sizes.map((size) => storeBlob(store, someBytes(size, size + 1))))
        const infos = await Array.fromAsync(store.list())
        expect(infos.map(({ digest }) => digest).sort()).toEqual(digests.toSorted())
        expect(infos.map(({ sizeBytes }) => sizeBytes).sort((a, b) => a - b)).toEqual(sizes)
      })

      test('blobs and uploads may go while they are listed', async () => {
        for (let size = 1; size <= 12; size++) {
          await storeBlob(store, someBytes(size))
          await stage(someBytes(size))
        }
        for await (const { digest } of store.list()) await store.delete(at(digest))
        for await (const { key } of store.listUploads()) await store.abort(key)
        expect(await listed()).toEqual([])
        expect(await listedUploads()).toEqual([])
      })

      test('an empty store lists nothing', async () => {
        expect(await listed()).toEqual([])
        expect(await listedUploads()).toEqual([])
      })

      test('a store that was asked whether it is ready is as it was', async () => {
        await store.checkReady()
        expect(await listed()).toEqual([])
        expect(await listedUploads()).toEqual([])
      })
    })
  })
}
