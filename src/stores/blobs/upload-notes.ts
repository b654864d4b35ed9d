import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { vaultOfUpload } from '../../domain/upload.ts'
import { PLAIN } from '../../domain/vault.ts'
import type { UploadKey } from '../blobs.ts'
import type { Files } from './files.ts'
import { isSystemError, writeError } from './system-errors.ts'

const NOTE = '~'
const UNFINISHED = '~~'

/** The notes beside staged uploads: files of their own, replaced by a rename. Only uploads of vaults have any. */
export class UploadNotes {
  readonly #directory: string
  readonly #files: Files

  constructor(directory: string, files: Files) {
    this.#directory = directory
    this.#files = files
  }

  /** The key of the upload whose note (finished or not) goes by this file name. */
  uploadOf(name: string): string | undefined {
    if (name.endsWith(UNFINISHED)) return name.slice(0, -UNFINISHED.length)
    return name.endsWith(NOTE) ? name.slice(0, -NOTE.length) : undefined
  }

  async get(key: UploadKey): Promise<Uint8Array | undefined> {
    if (vaultOfUpload(key) === PLAIN) return undefined
    return unlessAbsent(() => readFile(join(this.#directory, key + NOTE)))
  }

  /** Throws `storage-full`. */
  async put(key: UploadKey, note: Uint8Array): Promise<void> {
    const unfinished = join(this.#directory, key + UNFINISHED)
    try {
      await this.#unlink(unfinished)
      const file = await this.#files.open(unfinished, 'wx')
      try {
        let written = 0
        while (written < note.byteLength) written += (await file.writev([note.subarray(written)], written)).bytesWritten
      } finally {
        await file.close()
      }
      await this.#files.rename(unfinished, join(this.#directory, key + NOTE))
    } catch (thrown) {
      throw writeError(thrown)
    }
  }

  /** Absent is fine. */
  async drop(key: UploadKey): Promise<void> {
    if (vaultOfUpload(key) === PLAIN) return
    await this.#unlink(join(this.#directory, key + UNFINISHED))
    await this.#unlink(join(this.#directory, key + NOTE))
  }

  async #unlink(path: string): Promise<void> {
    await unlessAbsent(() => this.#files.unlink(path))
  }
}

async function unlessAbsent<T>(work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work()
  } catch (thrown) {
    if (isSystemError(thrown, 'ENOENT')) return undefined
    throw thrown
  }
}
