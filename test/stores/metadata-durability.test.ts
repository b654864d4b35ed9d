import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { statSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../src/stores/metadata.ts'
import {
  addBlob,
  addImage,
  addRepository,
  digestOf,
  newRepository,
  REGISTRY,
  refOf,
  rejection,
} from '../suites/metadata-store-records.ts'
import { testMasterKey } from '../support/test-master-key.ts'

const MIB = 1024 * 1024

describe('metadata on a disk', () => {
  let directory: string
  let file: string

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ecru-metadata-'))
    file = join(directory, 'metadata.db')
  })

  afterEach(() => rm(directory, { recursive: true }))

  const addSecret = (store: MetadataStore, name: string, sizeBytes: number, durability?: 'relaxed') =>
    store.transact((tx) => tx.credentials.keepSecret(name, new Uint8Array(sizeBytes)), durability && { durability })

  test('everything is there after closing and opening again', async () => {
    const first = await openSqliteMetadata(file, testMasterKey)
    const { id } = await addRepository(first, 'app')
    await addBlob(first, id, digestOf('layer'))
    const image = await addImage(first, id, 1, {
      tags: ['v1'],
      blobs: [{ digest: digestOf('layer'), mediaType: 'layer' }],
    })
    await first.close()
    const second = await openSqliteMetadata(file, testMasterKey)
    expect(await second.view.images.find(id, { digest: image.digest })).toEqual(image)
    expect(await second.view.blobs.findLinked(id, digestOf('layer'))).toMatchObject({ imageCount: 1 })
    await addRepository(second, 'other')
    await second.close()
    const third = await openSqliteMetadata(file, testMasterKey)
    expect(await third.view.repositories.count(REGISTRY)).toBe(2)
    await third.close()
  })

  test('what was promised survives the sudden death of the process', async () => {
    const writer = Bun.spawn([process.execPath, join(import.meta.dir, 'metadata-writer-process.ts'), file], {
      stdout: 'pipe',
      stderr: 'inherit',
    })
    let said = ''
    for await (const chunk of writer.stdout) {
      said += new TextDecoder().decode(chunk)
      if (said.includes('20\n')) break
    }
    writer.kill('SIGKILL')
    await writer.exited
    const promised = said.trim().split('\n').length
    const store = await openSqliteMetadata(file, testMasterKey)
    for (let n = 0; n < promised; n++) expect(await store.view.repositories.find(refOf(`app-${n}`))).toBeDefined()
    await addRepository(store, 'after')
    await store.close()
  })

  test('a database of a newer version is refused with a sentence that says so, and left as it is', async () => {
    await (await openSqliteMetadata(file, testMasterKey)).close()
    const newer = new Database(file)
    newer.run("insert into kysely_migration (name, timestamp) values ('999-from-the-future', '2030-01-01')")
    newer.close()
    const thrown = await rejection(openSqliteMetadata(file, testMasterKey))
    expect((thrown as Error).message).toContain('newer version of Ecru')
    expect((thrown as Error).message).toContain('999-from-the-future')
    const untouched = new Database(file)
    untouched.run("delete from kysely_migration where name = '999-from-the-future'")
    untouched.close()
    await (await openSqliteMetadata(file, testMasterKey)).close()
  })

  test('a file that is no database is refused', async () => {
    await Bun.write(file, 'these are not the bytes of a database, however long one looks at them'.repeat(100))
    expect(((await rejection(openSqliteMetadata(file, testMasterKey))) as Error).message).toStartWith(
      `The metadata in ${file} are damaged: file is not a database. Restore a backup`,
    )
  })

  test('a database of which a part was overwritten is refused in words', async () => {
    await (await openSqliteMetadata(file, testMasterKey)).close()
    const bytes = await Bun.file(file).bytes()
    await Bun.write(file, bytes.fill(0xaa, 4096, 65_536))
    const thrown = await rejection(openSqliteMetadata(file, testMasterKey))
    expect(thrown).toMatchObject({ name: 'MetadataUnusable' })
    expect((thrown as Error).message).toStartWith(`The metadata in ${file} are damaged: `)
  })

  describe('syncs', () => {
    /** Syncs that end when the test says so. */
    const heldSyncs = () => {
      const held: PromiseWithResolvers<void>[] = []
      const sync = (): Promise<void> => {
        const next = Promise.withResolvers<void>()
        held.push(next)
        return next.promise
      }
      return { held, sync }
    }
    const state = async (promise: Promise<unknown>) => {
      await new Promise(setImmediate)
      return Bun.peek.status(promise)
    }

    test('a durable transaction waits for a sync that began after it; all who wait share it', async () => {
      const { held, sync } = heldSyncs()
      const store = await openSqliteMetadata(file, testMasterKey, sync)
      const first = addRepository(store, 'first')
      expect(await state(first)).toBe('pending')
      expect(held).toHaveLength(1)
      const others = ['second', 'third', 'fourth'].map((name) => addRepository(store, name))
      expect(await state(Promise.all(others))).toBe('pending')
      expect(await store.view.repositories.count(REGISTRY)).toBe(4)
      held[0]?.resolve()
      await first
      for (const other of others) expect(await state(other)).toBe('pending')
      expect(held).toHaveLength(2)
      held[1]?.resolve()
      await Promise.all(others)
      expect(held).toHaveLength(2)
      await store.close()
    })

    test('a relaxed transaction waits for none, and the next durable one covers it', async () => {
      const { held, sync } = heldSyncs()
      const store = await openSqliteMetadata(file, testMasterKey, sync)
      await addSecret(store, 'a', 10, 'relaxed')
      expect(held).toHaveLength(0)
      const durable = store.transact(async () => {})
      expect(await state(durable)).toBe('pending')
      held[0]?.resolve()
      await durable
      await store.transact(async () => {})
      expect(held).toHaveLength(1)
      await store.close()
    })

    test('a failed sync refuses this and every later transaction; reads go on', async () => {
      const { held, sync } = heldSyncs()
      const store = await openSqliteMetadata(file, testMasterKey, sync)
      const [first, second] = [addRepository(store, 'first'), addRepository(store, 'second')]
      const outcomes = Promise.all([rejection(first), rejection(second)])
      await new Promise(setImmediate)
      const broken = new Error('input/output error')
      held[0]?.reject(broken)
      for (const thrown of await outcomes) expect((thrown as Error).cause).toBe(broken)
      for (const durability of ['durable', 'relaxed'] as const)
        expect(await rejection(store.transact(async () => {}, { durability }))).toBeInstanceOf(Error)
      expect(await rejection(store.checkReady())).toBeInstanceOf(Error)
      expect(await store.view.repositories.count(REGISTRY)).toBe(2)
      await store.close()
      const again = await openSqliteMetadata(file, testMasterKey)
      await addRepository(again, 'third')
      await again.close()
    })
  })

  describe('the write-ahead log', () => {
    const logBytes = () => statSync(`${file}-wal`).size

    test('is copied into the database again and again, so that it stays short', async () => {
      const store = await openSqliteMetadata(file, testMasterKey)
      for (let n = 0; n < 60; n++) await addSecret(store, `secret-${n}`, MIB, n % 2 === 0 ? 'relaxed' : undefined)
      expect(logBytes()).toBeLessThan(16 * MIB)
      expect(statSync(file).size).toBeGreaterThan(40 * MIB)
      expect((await store.view.credentials.findSecret('secret-7'))?.length).toBe(MIB)
      await store.close()
    })

    test('stays short although somebody looks all the time, also while a transaction is open', async () => {
      const store = await openSqliteMetadata(file, testMasterKey)
      for (let n = 0; n < 60; n++) {
        const work = store.transact(
          async (tx) => {
            await tx.credentials.keepSecret(`secret-${n}`, new Uint8Array(MIB))
            expect(await store.view.credentials.findSecret(`secret-${n}`)).toBeUndefined()
          },
          { durability: n % 2 === 0 ? 'relaxed' : 'durable' },
        )
        await store.view.repositories.count(REGISTRY)
        await work
        expect((await store.view.credentials.findSecret(`secret-${n}`))?.length).toBe(MIB)
      }
      expect(logBytes()).toBeLessThan(16 * MIB)
      expect(statSync(file).size).toBeGreaterThan(40 * MIB)
      await store.close()
    })

    test('grows while a snapshot needs it, and not afterwards', async () => {
      const store = await openSqliteMetadata(file, testMasterKey)
      await addRepository(store, 'app')
      await store.read(async (view) => {
        expect(await view.repositories.count(REGISTRY)).toBe(1)
        for (let n = 0; n < 20; n++) await addSecret(store, `first-${n}`, MIB, 'relaxed')
        expect(await view.credentials.findSecret('first-7')).toBeUndefined()
      })
      expect(logBytes()).toBeGreaterThan(15 * MIB)
      for (let n = 0; n < 10; n++) await addSecret(store, `second-${n}`, MIB, 'relaxed')
      const grown = logBytes()
      for (let n = 0; n < 30; n++) await addSecret(store, `third-${n}`, MIB, 'relaxed')
      expect(logBytes()).toBe(grown)
      await store.close()
    })

    test('a checkpoint that cannot sync refuses every later transaction', async () => {
      let isBroken = false
      const store = await openSqliteMetadata(file, testMasterKey, async () => {
        if (isBroken) throw new Error('input/output error')
      })
      await addRepository(store, 'app')
      isBroken = true
      for (let n = 0; n < 10; n++) await addSecret(store, `secret-${n}`, MIB, 'relaxed').catch(() => {})
      await new Promise(setImmediate)
      expect(await rejection(store.transact((tx) => tx.repositories.insert(newRepository('late'))))).toBeInstanceOf(
        Error,
      )
      await store.close()
    })
  })
})
