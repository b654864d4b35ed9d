import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { workerProgram } from '../../lib/worker-program.ts'
import {
  AdvisoryImportFailed,
  type AdvisorySet,
  type AdvisoryStore,
  type ImportProgress,
  type ImportReport,
  type ImportRequest,
} from '../advisories.ts'
import type { ImportNews, ImportOrder } from './import-worker.ts'
import { SqliteAdvisorySet } from './sqlite-set.ts'
import { CURRENT_FILE } from './staging.ts'

interface OpenSet {
  readonly set: SqliteAdvisorySet
  users: number
  isReplaced: boolean
}

/** Advisories in a directory of their own: large, and got again by another import, so apart from what must not be lost. */
export class SqliteAdvisoryStore implements AdvisoryStore {
  /** Of a temporary one not before the first import, so that a process which is killed mostly leaves nothing. */
  #directory: string | undefined
  readonly #isTemporary: boolean
  #open: OpenSet | undefined
  #imports: Promise<unknown> = Promise.resolve()
  #running: Worker | undefined
  #isClosed = false

  private constructor(directory: string | undefined, isTemporary: boolean) {
    this.#directory = directory
    this.#isTemporary = isTemporary
  }

  /** Nothing is made or opened before it is needed. */
  static inDirectory(directory: string): SqliteAdvisoryStore {
    return new SqliteAdvisoryStore(directory, false)
  }

  /** Keeps the advisories in files that are gone with `close`. */
  static inMemory(): SqliteAdvisoryStore {
    return new SqliteAdvisoryStore(undefined, true)
  }

  async use<T>(work: (set: AdvisorySet | undefined) => T | Promise<T>): Promise<T> {
    const open = this.#present()
    if (open === undefined) return await work(undefined)
    open.users++
    try {
      return await work(open.set)
    } finally {
      open.users--
      if (open.isReplaced && open.users === 0) open.set.close()
    }
  }

  async import(request: ImportRequest, onProgress?: (progress: ImportProgress) => void): Promise<ImportReport> {
    const turn = this.#imports.then(() => this.#importNow(request, onProgress ?? (() => {})))
    this.#imports = turn.catch(() => {})
    return await turn
  }

  async close(): Promise<void> {
    this.#isClosed = true
    this.#running?.terminate()
    this.#running = undefined
    this.#replace()
    if (this.#isTemporary && this.#directory !== undefined) rmSync(this.#directory, { recursive: true, force: true })
  }

  async #importNow(request: ImportRequest, onProgress: (progress: ImportProgress) => void): Promise<ImportReport> {
    if (this.#isClosed) throw new AdvisoryImportFailed('The registry is shutting down.')
    this.#directory ??= mkdtempSync(join(tmpdir(), 'ecru-advisories-'))
    const directory = this.#directory
    const worker = new Worker(workerProgram('stores/advisories/import-worker.ts'))
    this.#running = worker
    const { promise, resolve, reject } = Promise.withResolvers<ImportReport>()
    worker.onmessage = ({ data }: MessageEvent<ImportNews>) => {
      if (data.kind === 'progress') onProgress(data.progress)
      else if (data.kind === 'done') resolve(data.report)
      else reject(data.isForOperator ? new AdvisoryImportFailed(data.message) : new Error(data.message))
    }
    worker.onerror = ({ message }) => reject(new Error(`The import failed: ${message}`))
    worker.addEventListener('close', () => reject(new AdvisoryImportFailed('The import was cut off.')))
    try {
      worker.postMessage({ directory, request } satisfies ImportOrder)
      return await promise
    } finally {
      worker.terminate()
      this.#running = undefined
      this.#replace()
    }
  }

  #present(): OpenSet | undefined {
    if (this.#open !== undefined) return this.#open
    if (this.#directory === undefined) return undefined
    const file = join(this.#directory, CURRENT_FILE)
    if (this.#isClosed || !existsSync(file)) return undefined
    this.#open = { set: new SqliteAdvisorySet(file), users: 0, isReplaced: false }
    return this.#open
  }

  /** The next to come opens the set anew; who is at work keeps what it has. */
  #replace(): void {
    const open = this.#open
    this.#open = undefined
    if (open === undefined) return
    open.isReplaced = true
    if (open.users === 0) open.set.close()
  }
}
