import { join } from 'node:path'
import type { Files } from './files.ts'
import { isSystemError } from './system-errors.ts'

/**
 * Makes directories that outlive a power loss. A name is durable only once the directory that holds it is flushed, so a
 * new directory flushes its parent.
 */
export class DurableDirectories {
  readonly #files: Files
  /** The flushes that made directories durable: that a directory is there does not say that it will be after a crash. */
  readonly #flushes = new Map<string, Promise<void>>()

  constructor(files: Files) {
    this.#files = files
  }

  /** Makes the directories `names`, each inside the one before, in an existing `parent`. Answers the innermost's path. */
  async make(parent: string, ...names: readonly string[]): Promise<string> {
    let path = parent
    for (const name of names) {
      const inside = path
      path = join(inside, name)
      await this.#makeOne(path, inside)
    }
    return path
  }

  /** Makes the changes to a directory's own entries durable. */
  async flush(path: string): Promise<void> {
    const directory = await this.#files.open(path, 'r')
    try {
      await directory.sync()
    } finally {
      await directory.close()
    }
  }

  /** All who need the same directory wait for the one flush; after a failure the next one tries again. */
  async #makeOne(path: string, parent: string): Promise<void> {
    const isNew = await this.#mkdir(path)
    if (isNew || !this.#flushes.has(path)) {
      const flush = this.flush(parent).catch((thrown: unknown) => {
        this.#flushes.delete(path)
        throw thrown
      })
      this.#flushes.set(path, flush)
    }
    await this.#flushes.get(path)
  }

  async #mkdir(path: string): Promise<boolean> {
    try {
      await this.#files.mkdir(path)
      return true
    } catch (thrown) {
      if (isSystemError(thrown, 'EEXIST')) return false
      throw thrown
    }
  }
}
