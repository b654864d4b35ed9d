import { closeSync, fdatasync, ftruncateSync, openSync, writeSync } from 'node:fs'
import { mkdir, open, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Clock } from '../../lib/clock.ts'
import type { AuditEntry, AuditHead, AuditLog, AuditReport, AuditSearch } from '../audit.ts'
import { GENESIS, type Link, macOf, printLink, readLink } from './chain.ts'
import { lastLine, linesBackwards } from './lines-backwards.ts'
import { isNote, noteOf, startOf } from './notes.ts'

export interface FileAuditLogOptions {
  /** The secret behind the chain. */
  readonly key: Uint8Array
  readonly clock: Clock
  /** A file that is larger is followed by another one; so is every file after a day. */
  readonly fileBytesMax: number
  /** Files that are older altogether are removed. */
  readonly retentionMs: number
  /** The oldest files beyond that are removed, whatever their age. */
  readonly totalBytesMax: number
  /** Hears how far the log is safe, about once a second while it grows. */
  onSynced(head: AuditHead): Promise<void>
  /** Takes what keeps records from being written; `lostRecords` could not even be kept in memory. */
  onFailure(error: Error, lostRecords: number): void
}

const SYNC_MS = 1000
const DAY_MS = 24 * 3600 * 1000
/** Records that wait for a disk that takes none. */
const PENDING_CHARS_MAX = 8 * 1024 * 1024

const sync = promisify(fdatasync)

/** One file: the number of its first record is its name. */
interface AuditFile {
  readonly path: string
  readonly firstSequence: number
}

/** The log in files of a directory, one record a line. One process at a time. */
export class FileAuditLog implements AuditLog {
  readonly #directory: string
  readonly #options: FileAuditLogOptions
  #descriptor: number
  #fileBytes: number
  #fileStartedAtMs: number
  #head: AuditHead
  #pending: string[] = []
  #pendingChars = 0
  #lostRecords = 0
  #lostRecordsEver = 0
  #isFlushPlanned = false
  #isDirty = false
  #syncing: Promise<void> = Promise.resolve()
  #removing: Promise<void> = Promise.resolve()
  readonly #timer: ReturnType<typeof setInterval>

  private constructor(
    directory: string,
    options: FileAuditLogOptions,
    head: AuditHead,
    current: AuditFile | undefined,
    bytes: number,
  ) {
    this.#directory = directory
    this.#options = options
    this.#head = head
    this.#fileStartedAtMs = options.clock.now().getTime()
    if (current === undefined) {
      this.#descriptor = -1
      this.#fileBytes = Number.POSITIVE_INFINITY
    } else {
      this.#descriptor = openSync(current.path, 'a')
      this.#fileBytes = bytes
    }
    this.#timer = setInterval(() => this.#syncSoon(), SYNC_MS)
    this.#timer.unref()
  }

  /** Opens the log of the directory, which is made when absent. A line that a power loss tore is cut off. */
  static async open(directory: string, options: FileAuditLogOptions): Promise<FileAuditLog> {
    await mkdir(directory, { recursive: true, mode: 0o700 })
    const files = await filesOf(directory)
    for (let at = files.length - 1; at >= 0; at--) {
      const file = files[at]
      if (file === undefined) continue
      const { line, endsAt } = await lastLine(file.path)
      const link = line === undefined ? undefined : readLink(line)
      if (link === undefined && endsAt === 0) {
        await rm(file.path)
        continue
      }
      if (link === undefined) throw new Error(`The end of the audit log ${file.path} cannot be read`)
      const handle = await open(file.path, 'r+')
      await handle.truncate(endsAt)
      await handle.close()
      return new FileAuditLog(directory, options, link, file, endsAt)
    }
    return new FileAuditLog(directory, options, { sequence: 0, mac: GENESIS }, undefined, 0)
  }

  get lostRecords(): number {
    return this.#lostRecordsEver
  }

  append(record: string): void {
    if (this.#pendingChars + record.length > PENDING_CHARS_MAX) {
      this.#lostRecords++
      this.#lostRecordsEver++
      return
    }
    this.#pending.push(record)
    this.#pendingChars += record.length
    if (this.#isFlushPlanned) return
    this.#isFlushPlanned = true
    setImmediate(() => this.#flush())
  }

  async *search({ before = Number.POSITIVE_INFINITY, since, containing }: AuditSearch): AsyncIterable<AuditEntry> {
    this.#flush()
    const files = await filesOf(this.#directory)
    for (const [index, { path, firstSequence }] of [...files.entries()].toReversed()) {
      if (firstSequence >= before) continue
      const next = files[index + 1]
      try {
        // What is in a file is older than the file that follows it.
        if (next !== undefined && since !== undefined && (await startOf(next.path)) < since) return
        for await (const line of linesBackwards(path)) {
          if (!containing.every((text) => line.includes(text))) continue
          const link = readLink(line)
          if (link !== undefined && link.sequence < before && !isNote(link.body))
            yield { sequence: link.sequence, record: link.body }
        }
      } catch (failure) {
        // Too old by now: it was removed, and so is all that is older.
        if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return
        throw failure
      }
    }
  }

  async verify(head: AuditHead | undefined): Promise<AuditReport> {
    this.#flush()
    const files = await filesOf(this.#directory)
    const { verifyFiles } = await import('./verify.ts')
    return verifyFiles(
      files.map(({ path }) => path),
      this.#options.key,
      head,
    )
  }

  async close(): Promise<void> {
    clearInterval(this.#timer)
    this.#flush()
    await this.#removing
    this.#syncSoon()
    await this.#syncing
    if (this.#descriptor >= 0) closeSync(this.#descriptor)
    this.#descriptor = -1
  }

  /** Writes what is pending. What cannot be written waits, and nothing of it is half there. */
  #flush(): void {
    this.#isFlushPlanned = false
    if (this.#pending.length === 0) return
    const before = { head: this.#head, bytes: this.#fileBytes }
    try {
      if (this.#isFileFull()) this.#startFile()
      const lost = this.#lostRecords
      const notes = lost === 0 ? [] : [noteOf({ lost })]
      this.#write([...notes, ...this.#pending])
      this.#pending = []
      this.#pendingChars = 0
      this.#lostRecords -= lost
      this.#isDirty = true
    } catch (failure) {
      this.#head = before.head
      this.#options.onFailure(failure instanceof Error ? failure : new Error(String(failure)), this.#lostRecords)
    }
  }

  #write(bodies: readonly string[]): void {
    let head = this.#head
    let text = ''
    for (const body of bodies) {
      const link = this.#link(head, body)
      text += printLink(link)
      head = link
    }
    const bytes = Buffer.from(text)
    const written = this.#writeWhole(bytes)
    this.#fileBytes += written
    this.#head = { sequence: head.sequence, mac: head.mac }
  }

  #writeWhole(bytes: Uint8Array): number {
    let at = 0
    try {
      while (at < bytes.length) at += writeSync(this.#descriptor, bytes.subarray(at))
      return at
    } catch (failure) {
      if (at > 0) ftruncateSync(this.#descriptor, this.#fileBytes)
      throw failure
    }
  }

  #link({ sequence, mac }: AuditHead, body: string): Link {
    const next = sequence + 1
    return { sequence: next, body, mac: macOf(this.#options.key, mac, next, body) }
  }

  #isFileFull(): boolean {
    const age = this.#options.clock.now().getTime() - this.#fileStartedAtMs
    return this.#fileBytes >= this.#options.fileBytesMax || age >= DAY_MS
  }

  /** The first line of a file says when it began and what the chain had come to. */
  #startFile(): void {
    const now = this.#options.clock.now()
    const { sequence, mac } = this.#head
    const path = join(this.#directory, fileName(sequence + 1))
    const descriptor = openSync(path, 'a', 0o600)
    const earlier = this.#descriptor
    this.#descriptor = descriptor
    this.#fileBytes = 0
    this.#fileStartedAtMs = now.getTime()
    this.#write([noteOf({ startedAt: now.toISOString(), previous: mac })])
    if (earlier >= 0) {
      this.#syncing = this.#syncing.then(() => sync(earlier)).finally(() => closeSync(earlier))
      this.#syncing.catch((error: Error) => this.#options.onFailure(error, 0))
      this.#removing = this.#removing
        .then(() => this.#removeOld())
        .catch((error: Error) => this.#options.onFailure(error, 0))
    }
  }

  /** The log says itself what it removes, so that nobody else can do it unseen. */
  async #removeOld(): Promise<void> {
    const { clock, retentionMs, totalBytesMax } = this.#options
    const files = await filesOf(this.#directory)
    const sizes = await Promise.all(files.map(async ({ path }) => (await stat(path)).size))
    let total = sizes.reduce((sum, size) => sum + size, 0)
    const oldest = clock.now().getTime() - retentionMs
    for (const [index, file] of files.entries()) {
      const next = files[index + 1]
      if (next === undefined) return
      const isOld = (await startOf(next.path)).getTime() < oldest
      if (!isOld && total <= totalBytesMax) return
      this.append(noteOf({ removedBefore: next.firstSequence }))
      this.#flush()
      await rm(file.path)
      total -= sizes[index] ?? 0
    }
  }

  #syncSoon(): void {
    if (!this.#isDirty || this.#descriptor < 0) return
    this.#isDirty = false
    const { sequence, mac } = this.#head
    const descriptor = this.#descriptor
    this.#syncing = this.#syncing
      .then(() => sync(descriptor))
      .then(() => this.#options.onSynced({ sequence, mac }))
      .catch((error: Error) => {
        this.#isDirty = true
        this.#options.onFailure(error, 0)
      })
  }
}

const FILE = /^audit-(\d{15})\.jsonl$/

function fileName(firstSequence: number): string {
  return `audit-${String(firstSequence).padStart(15, '0')}.jsonl`
}

/** Oldest first. */
async function filesOf(directory: string): Promise<readonly AuditFile[]> {
  const names = (await readdir(directory)).filter((name) => FILE.test(name)).sort()
  return names.map((name) => ({ path: join(directory, name), firstSequence: Number(FILE.exec(name)?.[1]) }))
}
