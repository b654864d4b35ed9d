import { closeSync, openSync, readSync } from 'node:fs'

/** Brings what was written to a file onto the disk, off the event loop. */
export type SyncFile = (descriptor: number) => Promise<void>

const WAL_HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24
const SALT_BYTES = 8
const SALT_IN_WAL_HEADER = 16
const SALT_IN_FRAME_HEADER = 8

/**
 * The write-ahead log as a file: made durable from outside SQLite, and looked into by its published format
 * (https://sqlite.org/walformat.html). SQLite keeps no lock on this file, so that closing it harms nothing.
 */
export class WalFile {
  readonly #descriptor: number
  readonly #pageBytes: number
  readonly #syncFile: SyncFile
  readonly #frameSalt = Buffer.alloc(SALT_BYTES)
  readonly #salt = Buffer.alloc(SALT_BYTES)
  #running: Promise<void> | undefined
  #following: Promise<void> | undefined

  constructor(path: string, pageBytes: number, syncFile: SyncFile) {
    this.#syncFile = syncFile
    this.#descriptor = openSync(path, 'r+')
    this.#pageBytes = pageBytes
  }

  /**
   * Resolves when everything written before the call is on the disk. A sync that is under way may have missed the
   * newest writes, so those who come meanwhile share the one after it. There is never more than one: the kernel tells a
   * write error once, and a second sync beside the one that hears of it would be told that all is well.
   */
  sync(): Promise<void> {
    if (this.#following !== undefined) return this.#following
    if (this.#running === undefined) return this.#begin()
    this.#following = this.#running.then(() => {
      this.#following = undefined
      return this.#begin()
    })
    return this.#following
  }

  /** Resolves when the syncs that were asked for have ended, well or not. */
  async ended(): Promise<void> {
    await Promise.allSettled([this.#running, this.#following])
  }

  /** Changes whenever SQLite begins the log anew from its first frame. */
  generation(): string {
    this.#read(this.#salt, SALT_IN_WAL_HEADER)
    return this.#salt.toString('latin1')
  }

  /** Whether the log, since it was last begun anew, has got as far as its `frame`th page (counted from 1). */
  reaches(frame: number): boolean {
    const frameAt = WAL_HEADER_BYTES + (frame - 1) * (FRAME_HEADER_BYTES + this.#pageBytes)
    if (!this.#read(this.#frameSalt, frameAt + SALT_IN_FRAME_HEADER)) return false
    return this.#read(this.#salt, SALT_IN_WAL_HEADER) && this.#salt.equals(this.#frameSalt)
  }

  close(): void {
    closeSync(this.#descriptor)
  }

  #begin(): Promise<void> {
    const running = this.#syncFile(this.#descriptor).finally(() => {
      if (this.#running === running) this.#running = undefined
    })
    this.#running = running
    return running
  }

  #read(into: Buffer, at: number): boolean {
    return readSync(this.#descriptor, into, 0, into.length, at) === into.length
  }
}
