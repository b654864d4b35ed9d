import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdir, mkdtemp, readdir, rename, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PLAIN, SERVER_VAULT } from '../../src/domain/vault.ts'
import type { Clock } from '../../src/lib/clock.ts'
import { FilesystemBlobStore, type FilesystemBlobStoreOptions } from '../../src/stores/blobs/filesystem.ts'
import { SealedBlobStore } from '../../src/stores/blobs/sealed.ts'
import type { UploadKey } from '../../src/stores/blobs.ts'
import {
  bytesOf,
  chunksOf,
  digestOf,
  expectCode,
  plain,
  rejection,
  someBytes,
  storeBlob,
} from '../suites/blob-bytes.ts'
import { blobStoreSuite } from '../suites/blob-store.ts'
import { FakeVaultKeys } from '../support/fake-vault-keys.ts'
import { systemError, watchedFiles } from './blobs-watched-files.ts'

const MIB = 1024 * 1024

const makeDirectory = () => mkdtemp(join(tmpdir(), 'ecru-blobs-'))

blobStoreSuite('filesystem', async () => {
  const root = await makeDirectory()
  return { store: await FilesystemBlobStore.open(root), cleanup: () => rm(root, { recursive: true }) }
})

blobStoreSuite(
  'filesystem, sealed',
  async () => {
    const root = await makeDirectory()
    const driver = await FilesystemBlobStore.open(root)
    return { store: new SealedBlobStore(driver, new FakeVaultKeys()), cleanup: () => rm(root, { recursive: true }) }
  },
  SERVER_VAULT,
)

describe('filesystem', () => {
  let root: string

  beforeEach(async () => {
    root = await makeDirectory()
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const openStore = (options?: FilesystemBlobStoreOptions) => FilesystemBlobStore.open(root, options)
  const filesIn = async (directory: string) => {
    const entries = await readdir(join(root, directory), { recursive: true, withFileTypes: true })
    return entries.filter((entry) => entry.isFile()).map(({ name }) => name)
  }

  describe('on the disk', () => {
    test('a blob is a file under the first two digits of its digest', async () => {
      const digest = await storeBlob(await openStore(), someBytes(10))
      const hex = digest.slice('sha256:'.length)
      expect((await stat(join(root, 'blobs', 'sha256', hex.slice(0, 2), hex))).size).toBe(10)
      expect(await filesIn('uploads')).toEqual([])
    })

    test('memory of what is written is given back at once, unless it is part of something larger', async () => {
      const store = await openStore()
      const whole = new Uint8Array(100).fill(1)
      const larger = new Uint8Array(100).fill(2)
      const key = await store.startUpload(PLAIN)
      async function* chunks() {
        yield whole
        yield larger.subarray(10, 60)
      }
      await store.append(key, 0, chunks())
      expect(whole.byteLength).toBe(0)
      expect(larger.every((byte) => byte === 2)).toBe(true)
      expect(await store.uploadSize(key)).toBe(150)
    })

    test('a root is made with its parents', async () => {
      const store = await FilesystemBlobStore.open(join(root, 'a', 'b', 'c'))
      await store.checkReady()
      expect((await readdir(join(root, 'a', 'b', 'c'))).sort()).toEqual(['blobs', 'quarantine', 'uploads'])
    })

    test('a quarantined blob can still be examined, also when it happens twice', async () => {
      const store = await openStore()
      for (let time = 1; time <= 2; time++) {
        const digest = await storeBlob(store, someBytes(10))
        await store.quarantine(plain(digest))
        const kept = await filesIn('quarantine')
        expect(kept).toHaveLength(time)
        expect(kept.every((name) => name.startsWith(digest.replace(':', '-')))).toBe(true)
      }
    })

    test('abort and a failed readiness check leave no file behind', async () => {
      const files = watchedFiles({
        before: ({ what, path }) => {
          if (what === 'sync' && path.includes('uploads')) throw systemError('EROFS')
        },
      })
      const store = await openStore({ files })
      const key = await store.startUpload(PLAIN)
      await store.append(key, 0, chunksOf(someBytes(1000)))
      await store.abort(key)
      expect(await rejection(store.checkReady())).toHaveProperty('code', 'EROFS')
      expect(await filesIn('.')).toEqual([])
    })

    test('moments come from the clock that is passed in', async () => {
      const clock = { now: () => new Date('2001-02-03T04:05:06.000Z') } satisfies Clock
      const store = await openStore({ clock })
      const digest = await storeBlob(store, someBytes(10))
      await store.append(await store.startUpload(PLAIN), 0, chunksOf(someBytes(10)))
      expect((await store.find(plain(digest)))?.storedAt).toEqual(clock.now())
      expect(await Array.fromAsync(store.listUploads())).toEqual([
        { key: expect.any(String) as unknown as UploadKey, touchedAt: clock.now() },
      ])
    })

    test('the moment of the commit counts, however old the staged bytes are', async () => {
      let now = new Date('2001-01-01T00:00:00.000Z')
      const store = await openStore({ clock: { now: () => now } })
      const key = await store.startUpload(PLAIN)
      await store.append(key, 0, chunksOf(someBytes(10)))
      now = new Date('2001-06-01T00:00:00.000Z')
      expect((await store.commit(key, digestOf(someBytes(10)))).storedAt).toEqual(now)
      expect((await store.find(plain(digestOf(someBytes(10)))))?.storedAt).toEqual(now)
    })
  })

  describe('after a crash', () => {
    test('another process goes on with what was staged', async () => {
      const bytes = someBytes(2 * MIB)
      const key = await (await openStore()).startUpload(PLAIN)
      await (await openStore()).append(key, 0, chunksOf(bytes.subarray(0, MIB)))
      const successor = await openStore()
      expect(await successor.uploadSize(key)).toBe(MIB)
      expect(Buffer.compare(await bytesOf(await successor.readUpload(key)), bytes.subarray(0, MIB))).toBe(0)
      await successor.append(key, MIB, chunksOf(bytes.subarray(MIB)))
      await (await openStore()).commit(key, digestOf(bytes))
      expect(digestOf(await bytesOf(await (await openStore()).read(plain(digestOf(bytes)))))).toBe(digestOf(bytes))
    })

    test('a commit that nobody heard the end of is committed again', async () => {
      const key = await (await openStore()).startUpload(PLAIN)
      await (await openStore()).append(key, 0, chunksOf(someBytes(10)))
      const info = await (await openStore()).commit(key, digestOf(someBytes(10)))
      expect(await (await openStore()).commit(key, digestOf(someBytes(10)))).toEqual(info)
    })
  })

  describe('names', () => {
    for (const key of [
      '../blobs',
      '..',
      '',
      '.',
      '/etc/passwd',
      'x/../../secret',
      '6F0A5D0A-4F0E-4F7C-9A43-0C6AD0F4A4F1',
      '6f0a5d0a-4f0e-4f7c-9a43-0c6ad0f4a4f1\n',
      '6f0a5d0a-4f0e-4f7c-9a43-0c6ad0f4a4f1/../x',
    ] as const) {
      test(`${JSON.stringify(key)} is no upload`, async () => {
        const store = await openStore()
        const upload = key as string as UploadKey
        await writeFile(join(root, 'secret'), 'kept')
        expect(await store.uploadSize(upload)).toBeUndefined()
        await expectCode(store.append(upload, 0, chunksOf(someBytes(1))), 'upload-not-found')
        await expectCode(store.readUpload(upload), 'upload-not-found')
        await expectCode(store.commit(upload, digestOf(someBytes(1))), 'upload-not-found')
        await store.abort(upload)
        expect(await Bun.file(join(root, 'secret')).text()).toBe('kept')
      })
    }

    test('files that are not the store’s own are left out and left alone', async () => {
      const store = await openStore()
      const digest = await storeBlob(store, someBytes(10))
      const hex = digest.slice('sha256:'.length)
      const shard = join(root, 'blobs', 'sha256', hex.slice(0, 2))
      const other = digestOf(someBytes(11)).slice('sha256:'.length)
      const foreign = [
        join(root, 'lost+found.txt'),
        join(root, 'blobs', 'README'),
        join(root, 'blobs', 'sha256', 'zz'),
        join(root, 'blobs', 'sha256', 'ff0'),
        join(shard, `${hex}.bak`),
        join(shard, hex.toUpperCase()),
        // A digest in a place where it would not be looked for.
        join(root, 'blobs', 'sha256', other),
        join(root, 'uploads', '.nfs0001'),
      ]
      for (const path of foreign) await writeFile(path, 'foreign')
      await mkdir(join(root, 'blobs', 'sha512'))
      await mkdir(join(root, 'uploads', '6f0a5d0a-4f0e-4f7c-9a43-0c6ad0f4a4f1'))
      await symlink('/nowhere', join(root, 'uploads', '7f0a5d0a-4f0e-4f7c-9a43-0c6ad0f4a4f1'))
      await writeFile(join(root, 'blobs', 'sha512', 'aa'), 'a file where a directory is expected')
      expect((await Array.fromAsync(store.list())).map((info) => info.digest)).toEqual([digest])
      expect(await Array.fromAsync(store.listUploads())).toEqual([])
      for (const path of foreign) expect(await Bun.file(path).text()).toBe('foreign')
    })
  })

  describe('an outage is never "absent"', () => {
    test('when the volume is gone, every call fails with the system’s error', async () => {
      const store = await openStore()
      const digest = await storeBlob(store, someBytes(10))
      const key = await store.startUpload(PLAIN)
      await rename(root, `${root}-unmounted`)
      await mkdir(root)
      try {
        for (const call of [
          () => store.find(plain(digest)),
          () => store.read(plain(digest)),
          () => store.startUpload(PLAIN),
          () => store.uploadSize(key),
          () => store.append(key, 0, chunksOf(someBytes(1))),
          () => store.readUpload(key),
          () => store.commit(key, digest),
          () => store.abort(key),
          () => store.delete(plain(digest)),
          () => store.quarantine(plain(digest)),
          () => Array.fromAsync(store.list()),
          () => Array.fromAsync(store.listUploads()),
          () => store.checkReady(),
        ]) {
          expect(await rejection(call())).toHaveProperty('code', 'ENOENT')
        }
        expect(await readdir(root)).toEqual([])
      } finally {
        await rm(`${root}-unmounted`, { recursive: true })
      }
    })

    test('a shard directory that somebody tidied away is made again', async () => {
      const store = await openStore()
      const digest = await storeBlob(store, someBytes(10))
      await store.delete(plain(digest))
      await rm(join(root, 'blobs', 'sha256'), { recursive: true })
      expect(await store.find(plain(digest))).toBeUndefined()
      await storeBlob(store, someBytes(10))
      expect(await store.find(plain(digest))).toBeDefined()
    })
  })

  describe('sent by Bun.serve', () => {
    test('a body under way is delivered whole when its blob is deleted', async () => {
      const bytes = someBytes(24 * MIB)
      const store = await openStore()
      const digest = await storeBlob(store, bytes)
      using server = Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch: async () => new Response(await store.read(plain(digest))),
      })
      const response = await fetch(server.url)
      await store.delete(plain(digest))
      expect(digestOf(await response.bytes())).toBe(digest)
      await expectCode(store.read(plain(digest)), 'blob-not-found')
    })

    test('a range is sent as just those bytes', async () => {
      const bytes = someBytes(MIB)
      const store = await openStore()
      const digest = await storeBlob(store, bytes)
      using server = Bun.serve({
        hostname: '127.0.0.1',
        port: 0,
        fetch: async () => new Response(await store.read(plain(digest), { first: 1000, last: MIB - 2 })),
      })
      const got = await (await fetch(server.url)).bytes()
      expect(Buffer.compare(got, bytes.subarray(1000, MIB - 1))).toBe(0)
    })
  })
})
