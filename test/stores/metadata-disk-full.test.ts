import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../src/stores/metadata.ts'
import { addRepository, expectCode, newRepository, REGISTRY } from '../suites/metadata-store-records.ts'
import { testMasterKey } from '../support/test-master-key.ts'

const MIB = 1024 * 1024

/** Mounts a tiny file system, which only root may. */
function mountTiny(directory: string): boolean {
  return Bun.spawnSync(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', directory]).exitCode === 0
}

function canMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), 'ecru-mount-'))
  const isMounted = mountTiny(directory)
  if (isMounted) Bun.spawnSync(['umount', directory])
  rmSync(directory, { recursive: true })
  return isMounted
}

describe.skipIf(!canMount())('metadata on a full disk (skipped where one may not mount a small file system)', () => {
  let directory: string
  let store: MetadataStore

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ecru-metadata-full-'))
    mountTiny(directory)
    store = await openSqliteMetadata(join(directory, 'metadata.db'), testMasterKey)
  })

  afterEach(async () => {
    await store.close()
    Bun.spawnSync(['umount', directory])
    rmSync(directory, { recursive: true })
  })

  const addSecret = (name: string, sizeBytes: number) =>
    store.transact((tx) => tx.credentials.keepSecret(name, new Uint8Array(sizeBytes)))

  test('a transaction without room is undone and says storage-full; with room again, the store goes on', async () => {
    await addRepository(store, 'before')
    const ballast = join(directory, 'ballast')
    await writeFile(ballast, new Uint8Array(6 * MIB))
    const full = store.transact(async (tx) => {
      await tx.repositories.insert(newRepository('during'))
      await tx.credentials.keepSecret('large', new Uint8Array(3 * MIB))
    })
    await expectCode(full, 'storage-full')
    expect(await store.view.repositories.count(REGISTRY)).toBe(1)
    expect(await store.view.credentials.findSecret('large')).toBeUndefined()
    rmSync(ballast)
    await addRepository(store, 'after')
    await addSecret('small', MIB)
    expect(await store.view.repositories.count(REGISTRY)).toBe(2)
    await store.checkReady()
  })

  test('work that goes on after the disk was full cannot write outside its transaction', async () => {
    await writeFile(join(directory, 'ballast'), new Uint8Array(6 * MIB))
    const stubborn = store.transact(async (tx) => {
      // more than the cache holds, so that SQLite writes, and fails, before the end
      await tx.credentials.keepSecret('large', new Uint8Array(7 * MIB)).catch(() => {})
      rmSync(join(directory, 'ballast'))
      await tx.repositories.insert(newRepository('late'))
    })
    await stubborn.catch(() => {})
    const isCommitted = await stubborn.then(
      () => true,
      () => false,
    )
    expect(await store.view.repositories.count(REGISTRY)).toBe(isCommitted ? 1 : 0)
    expect(await store.view.credentials.findSecret('large')).toBeUndefined()
    await addRepository(store, 'after')
  })

  test('the disk may fill up by small steps until the end, and nothing promised is lost', async () => {
    let promised = 0
    for (let n = 0; n < 2000; n++) {
      try {
        await addSecret(`secret-${n}`, 20_000)
        promised = n + 1
      } catch {
        break
      }
    }
    expect(promised).toBeGreaterThan(10)
    expect(promised).toBeLessThan(2000)
    await expectCode(addSecret('one-more', 500_000), 'storage-full')
    for (let n = 0; n < promised; n++)
      expect(await store.view.credentials.findSecret(`secret-${n}`)).toHaveLength(20_000)
    await store.close()
    store = await openSqliteMetadata(join(directory, 'metadata.db'), testMasterKey)
    for (let n = 0; n < promised; n++)
      expect(await store.view.credentials.findSecret(`secret-${n}`)).toHaveLength(20_000)
  })
})
