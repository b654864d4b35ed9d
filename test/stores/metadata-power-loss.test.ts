import { Database } from 'bun:sqlite'
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { fstatSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../src/stores/metadata.ts'
import { testMasterKey } from '../support/test-master-key.ts'

const BLOCK_BYTES = 4096
const LOG_HEADER_BYTES = 32
const SECRET_BYTES = 60_000
const COMMITS = 300

let directory: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-metadata-'))
})

afterEach(() => rm(directory, { recursive: true }))

/** A sequence that looks random and is the same in every run. */
function randomNumbers(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

/** Remembers what was on the disk for sure: each file as it was when its last sync began. */
class Disk {
  readonly #paths: readonly string[]
  readonly #random: () => number
  readonly #synced = new Map<string, Buffer>()

  constructor(file: string, random: () => number) {
    this.#paths = [file, `${file}-wal`]
    this.#random = random
  }

  /** Takes the present files for synced, as they are when a store has been opened. */
  settle(): void {
    for (const path of this.#paths) this.#synced.set(path, readFileSync(path))
  }

  /** Whether the descriptor is the database's, and what to call when its sync has ended. */
  beginSync(descriptor: number): { readonly isDatabase: boolean; readonly end: () => void } {
    const { ino } = fstatSync(descriptor)
    const path = this.#paths.find((one) => statSync(one).ino === ino)
    if (path === undefined) throw new Error('a sync of some other file')
    const content = readFileSync(path)
    return { isDatabase: path === this.#paths[0], end: () => this.#synced.set(path, content) }
  }

  /**
   * What a power loss might leave: of the blocks written since the last sync some, as chance has it, or none or all of
   * a file. SQLite itself syncs a new header of the log before the frames that follow it, so that one is always there.
   */
  leave(directory: string): void {
    for (const path of this.#paths) {
      const written = readFileSync(path)
      const synced = this.#synced.get(path) ?? Buffer.alloc(0)
      const share = [0, 0.5, 1][Math.floor(this.#random() * 3)] ?? 0
      const left = Buffer.alloc(share === 0 ? synced.length : Math.max(written.length, synced.length))
      synced.copy(left)
      for (let at = 0; at < written.length; at += BLOCK_BYTES)
        if (this.#random() < share) written.copy(left, at, at, Math.min(at + BLOCK_BYTES, written.length))
      if (path.endsWith('-wal')) written.copy(left, 0, 0, Math.min(LOG_HEADER_BYTES, left.length))
      writeFileSync(join(directory, path.endsWith('-wal') ? 'metadata.db-wal' : 'metadata.db'), left)
    }
  }
}

for (const seed of [1, 2])
  test(`what was promised survives a power loss at any moment, whatever of the rest was written (seed ${seed})`, async () => {
    const random = randomNumbers(seed)
    const file = join(directory, 'metadata.db')
    const disk = new Disk(file, random)
    const promised: string[] = []
    let checks = 0
    let databaseSyncs = 0

    const losePower = async () => {
      checks++
      const left = join(directory, `left-${checks}`)
      await mkdir(left)
      disk.leave(left)
      const names = [...promised]
      const raw = new Database(join(left, 'metadata.db'))
      expect(raw.query<{ integrity_check: string }, []>('pragma integrity_check').all()).toEqual([
        { integrity_check: 'ok' },
      ])
      raw.close()
      const store = await openSqliteMetadata(join(left, 'metadata.db'), testMasterKey)
      for (const name of names) expect(await store.view.credentials.findSecret(name)).toHaveLength(SECRET_BYTES)
      await store.close()
      await rm(left, { recursive: true })
    }

    const store: MetadataStore = await openSqliteMetadata(file, testMasterKey, async (descriptor) => {
      const { isDatabase, end } = disk.beginSync(descriptor)
      if (isDatabase) {
        databaseSyncs++
        await losePower()
      }
      end()
    })
    disk.settle()
    for (let n = 0; n < COMMITS; n++) {
      const name = `secret-${n}`
      const durability = random() < 0.3 ? 'relaxed' : 'durable'
      await store.transact((tx) => tx.credentials.keepSecret(name, new Uint8Array(SECRET_BYTES)), { durability })
      if (durability === 'durable') promised.push(name)
      if (n % 50 === 7 || (databaseSyncs > 0 && random() < 0.02)) await losePower()
    }
    expect(databaseSyncs).toBeGreaterThan(1)
    await store.close()
  }, 60_000)
