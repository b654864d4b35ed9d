import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { PLAIN } from '../../src/domain/vault.ts'
import { FilesystemBlobStore } from '../../src/stores/blobs/filesystem.ts'
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
import { type FileHooks, systemError, watchedFiles } from './blobs-watched-files.ts'

const MIB = 1024 * 1024

const makeDirectory = () => mkdtemp(join(tmpdir(), 'ecru-blobs-'))

describe('filesystem, and what it asks of the disk', () => {
  let root: string

  beforeEach(async () => {
    root = await makeDirectory()
  })
  afterEach(() => rm(root, { recursive: true, force: true }))

  const openWatched = (hooks: FileHooks) => FilesystemBlobStore.open(root, { files: watchedFiles(hooks) })

  describe('durability', () => {
    /** Everything that was asked of the file system, as `what path`, with keys and digests made readable. */
    const record = async (work: (store: FilesystemBlobStore) => Promise<void>, inside = '.') => {
      const calls: string[] = []
      let isListening = false
      const store = await FilesystemBlobStore.open(join(root, inside), {
        files: watchedFiles({
          before: ({ what, path }) => {
            if (isListening) calls.push(`${what} ${relative(root, path).replace(/[0-9a-f]{8}-[-0-9a-f]{27}$/, 'KEY')}`)
          },
        }),
      })
      isListening = true
      await work(store)
      return calls
    }
    const bytes = someBytes(10)
    const hex = digestOf(bytes).slice('sha256:'.length)
    const shard = `blobs/sha256/${hex.slice(0, 2)}`
    const stage = async (store: FilesystemBlobStore) => {
      const key = await store.startUpload(PLAIN)
      await store.append(key, 0, chunksOf(bytes))
      return key
    }
    const durable = (calls: readonly string[]) => calls.filter((call) => /^(mkdir|sync|rename|unlink) /.test(call))

    test('commit flushes the file, then renames it, then flushes its directory and those made for it', async () => {
      const calls = await record(async (store) => {
        await store.commit(await stage(store), digestOf(bytes))
      })
      expect(durable(calls)).toEqual([
        'sync uploads/KEY',
        'mkdir blobs/sha256',
        'sync blobs',
        `mkdir ${shard}`,
        'sync blobs/sha256',
        `rename ${shard}/${hex}`,
        `sync ${shard}`,
      ])
    })

    test('a commit whose upload is gone flushes the directory all the same', async () => {
      const key = await stage(await FilesystemBlobStore.open(root))
      await (await FilesystemBlobStore.open(root)).commit(key, digestOf(bytes))
      const calls = await record(async (store) => {
        await store.commit(key, digestOf(bytes))
      })
      expect(durable(calls)).toEqual([`sync ${shard}`])
    })

    test('delete flushes the directory after the removal', async () => {
      await storeBlob(await FilesystemBlobStore.open(root), bytes)
      const calls = await record((store) => store.delete(plain(digestOf(bytes))))
      expect(durable(calls)).toEqual([`unlink ${shard}/${hex}`, `sync ${shard}`])
    })

    test('quarantine flushes both directories after the move', async () => {
      await storeBlob(await FilesystemBlobStore.open(root), bytes)
      const calls = await record((store) => store.quarantine(plain(digestOf(bytes))))
      expect(durable(calls)).toEqual([`rename quarantine/sha256-${hex}-KEY`, 'sync quarantine', `sync ${shard}`])
    })

    test('opening flushes every new directory’s parent', async () => {
      const calls: string[] = []
      const files = watchedFiles({ before: ({ what, path }) => void calls.push(`${what} ${relative(root, path)}`) })
      await FilesystemBlobStore.open(join(root, 'a', 'b'), { files })
      expect(calls.filter((call) => call.startsWith('sync '))).toEqual([
        ...Array.from({ length: 3 }, () => 'sync a/b'),
        'sync a',
        'sync ',
      ])
    })

    test('every file that was opened is closed', async () => {
      const calls = await record(async (store) => {
        await store.commit(await stage(store), digestOf(bytes))
        await rejection(store.append(await stage(store), 3, chunksOf(bytes)))
        await store.checkReady()
        await store.quarantine(plain(digestOf(bytes)))
      })
      const count = (what: string) => calls.filter((call) => call.startsWith(`${what} `)).length
      expect(count('close')).toBe(count('open'))
    })
  })

  describe('when the disk fails', () => {
    for (const code of ['ENOSPC', 'EDQUOT', 'EFBIG']) {
      test(`${code} while appending is storage-full, and what was written stays`, async () => {
        const bytes = someBytes(9 * MIB)
        let writes = 0
        const store = await openWatched({
          before: ({ what }) => {
            if (what === 'writev' && ++writes > 2) throw systemError(code)
          },
          // Writes are short before the disk is full.
          taken: (chunks) => chunks.slice(0, 1).map((chunk) => chunk.subarray(0, 1000)),
        })
        const key = await store.startUpload(PLAIN)
        const thrown = await rejection(store.append(key, 0, chunksOf(bytes)))
        expect(thrown).toMatchObject({ code: 'storage-full', cause: { code } })
        expect(await store.uploadSize(key)).toBe(2000)
        expect(await bytesOf(await store.readUpload(key))).toEqual(bytes.subarray(0, 2000))
      })
    }

    for (const code of ['EMFILE', 'ENFILE']) {
      test(`${code}, when clients hold all descriptors, is a reason to come again`, async () => {
        const fails = { isOn: false }
        const store = await openWatched({
          before: ({ what }) => {
            if (what === 'open' && fails.isOn) throw systemError(code)
          },
        })
        const key = await store.startUpload(PLAIN)
        fails.isOn = true
        await expectCode(store.startUpload(PLAIN), 'throttled')
        await expectCode(store.append(key, 0, chunksOf(someBytes(10))), 'throttled')
        await expectCode(store.commit(key, digestOf(someBytes(10))), 'throttled')
        fails.isOn = false
        await store.append(key, 0, chunksOf(someBytes(10)))
        await store.commit(key, digestOf(someBytes(10)))
      })
    }

    test('short writes are completed', async () => {
      const bytes = someBytes(200_000)
      const store = await openWatched({
        before: () => {},
        taken: (chunks) => chunks.slice(0, 2).map((chunk, index) => (index === 0 ? chunk : chunk.subarray(0, 999))),
      })
      const key = await store.startUpload(PLAIN)
      await store.append(key, 0, chunksOf(bytes, 3000))
      expect(Buffer.compare(await bytesOf(await store.readUpload(key)), bytes)).toBe(0)
    })

    test('other errors pass unchanged, and the body is ended', async () => {
      let hasEnded = false
      async function* body() {
        try {
          while (true) yield someBytes(MIB)
        } finally {
          hasEnded = true
        }
      }
      const failure = systemError('EIO')
      const store = await openWatched({
        before: ({ what }) => {
          if (what === 'writev') throw failure
        },
      })
      expect(await rejection(store.append(await store.startUpload(PLAIN), 0, body()))).toBe(failure)
      expect(hasEnded).toBe(true)
    })

    test('staged bytes whose flush fails while they are appended are dropped', async () => {
      const failure = systemError('EIO')
      const store = await openWatched({
        before: ({ what }) => {
          if (what === 'datasync') throw failure
        },
      })
      const key = await store.startUpload(PLAIN)
      expect(await rejection(store.append(key, 0, chunksOf(someBytes(20 * MIB), MIB)))).toBe(failure)
      expect(await store.uploadSize(key)).toBeUndefined()
      expect(await readdir(join(root, 'uploads'))).toEqual([])
    })

    test('staged bytes whose flush fails at the commit are dropped, and no blob appears', async () => {
      for (const [code, expected] of [
        ['EIO', 'EIO'],
        ['ENOSPC', 'storage-full'],
      ] as const) {
        const store = await openWatched({
          before: ({ what, path }) => {
            if (what === 'sync' && path.includes('uploads')) throw systemError(code)
          },
        })
        const key = await store.startUpload(PLAIN)
        await store.append(key, 0, chunksOf(someBytes(10)))
        expect(await rejection(store.commit(key, digestOf(someBytes(10))))).toHaveProperty('code', expected)
        await expectCode(store.commit(key, digestOf(someBytes(10))), 'upload-not-found')
        expect(await store.find(plain(digestOf(someBytes(10))))).toBeUndefined()
      }
    })

    test('a directory that could not be flushed is flushed by the next commit', async () => {
      let failures = 0
      const store = await openWatched({
        before: ({ what, path }) => {
          if (what === 'sync' && path.endsWith('blobs/sha256') && failures++ === 0) throw systemError('EIO')
        },
      })
      const key = await store.startUpload(PLAIN)
      await store.append(key, 0, chunksOf(someBytes(10)))
      expect(await rejection(store.commit(key, digestOf(someBytes(10))))).toHaveProperty('code', 'EIO')
      expect(await store.uploadSize(key)).toBe(10)
      await store.commit(key, digestOf(someBytes(10)))
      expect(failures).toBe(2)
    })
  })

  test('a body is read no faster than it is written', async () => {
    const gate = Promise.withResolvers<void>()
    let receivedBytes = 0
    async function* body() {
      for (let count = 0; count < 64; count++) {
        receivedBytes += MIB
        yield someBytes(MIB)
      }
    }
    const store = await openWatched({ before: ({ what }) => (what === 'writev' ? gate.promise : undefined) })
    const append = store.append(await store.startUpload(PLAIN), 0, body())
    // Time enough for a body that nothing holds back to be read to its end.
    for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve))
    expect(receivedBytes).toBeLessThanOrEqual(4 * MIB)
    gate.resolve()
    expect(await append).toBe(64 * MIB)
  })
})

/** A file system of a few MiB, which only root can make and not every container lets it. */
function mountSmallDisk(): string | undefined {
  const path = mkdtempSync(join(tmpdir(), 'ecru-small-disk-'))
  if (process.platform === 'linux' && process.getuid?.() === 0) {
    const { success } = Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', `size=${4 * MIB}`, 'ecru-test', path])
    if (success) return path
  }
  rmSync(path, { recursive: true })
  return undefined
}

const smallDisk = mountSmallDisk()

describe.skipIf(smallDisk === undefined)('a disk that is really full (needs root and mount)', () => {
  afterAll(() => {
    if (smallDisk === undefined) return
    Bun.spawnSync(['umount', smallDisk])
    rmSync(smallDisk, { recursive: true })
  })

  test('keeps what fitted, says storage-full, and takes uploads again once there is room', async () => {
    const store = await FilesystemBlobStore.open(smallDisk ?? '')
    const bytes = someBytes(8 * MIB)
    const key = await store.startUpload(PLAIN)
    const thrown = await rejection(store.append(key, 0, chunksOf(bytes)))
    expect(thrown).toMatchObject({ code: 'storage-full', cause: { code: 'ENOSPC' } })
    const sizeBytes = (await store.uploadSize(key)) ?? 0
    expect(sizeBytes).toBeGreaterThan(3 * MIB)
    expect(Buffer.compare(await bytesOf(await store.readUpload(key)), bytes.subarray(0, sizeBytes))).toBe(0)
    await expectCode(store.append(key, sizeBytes, chunksOf(bytes.subarray(sizeBytes))), 'storage-full')
    await expectCode(store.checkReady(), 'storage-full')
    await store.abort(key)
    await store.checkReady()
    const digest = await storeBlob(store, bytes.subarray(0, 2 * MIB))
    expect(await store.find(plain(digest))).toMatchObject({ sizeBytes: 2 * MIB })
    await store.delete(plain(digest))
    expect(await Array.fromAsync(store.listUploads())).toEqual([])
  })
})
