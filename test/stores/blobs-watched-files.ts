import { type Files, type OpenFile, systemFiles } from '../../src/stores/blobs/files.ts'

/** One call to the file system, as `what path` (for a rename the new path). */
export interface FileCall {
  readonly what: 'open' | 'mkdir' | 'readdir' | 'rename' | 'unlink' | Exclude<keyof OpenFile, 'stat'>
  readonly path: string
}

export interface FileHooks {
  /** Is told of every call before it is made; the call waits for it, and fails with what it throws. */
  readonly before: (call: FileCall) => Promise<void> | void
  /** Decides which of the chunks a write takes, to make it a short one. */
  readonly taken?: (chunks: readonly Uint8Array[]) => readonly Uint8Array[]
}

/** The real file system, with somebody watching. */
export function watchedFiles({ before, taken = (chunks) => chunks }: FileHooks): Files {
  const watched = (file: OpenFile, path: string): OpenFile => ({
    stat: () => file.stat(),
    async writev(chunks, position) {
      await before({ what: 'writev', path })
      return file.writev(taken(chunks), position)
    },
    async utimes(accessedAt, modifiedAt) {
      await before({ what: 'utimes', path })
      await file.utimes(accessedAt, modifiedAt)
    },
    async truncate(sizeBytes) {
      await before({ what: 'truncate', path })
      await file.truncate(sizeBytes)
    },
    async datasync() {
      await before({ what: 'datasync', path })
      await file.datasync()
    },
    async sync() {
      await before({ what: 'sync', path })
      await file.sync()
    },
    async close() {
      await before({ what: 'close', path })
      await file.close()
    },
  })
  return {
    async open(path, flags) {
      await before({ what: 'open', path })
      return watched(await systemFiles.open(path, flags), path)
    },
    async mkdir(path) {
      await before({ what: 'mkdir', path })
      return systemFiles.mkdir(path)
    },
    async readdir(path) {
      await before({ what: 'readdir', path })
      return systemFiles.readdir(path)
    },
    async rename(from, to) {
      await before({ what: 'rename', path: to })
      await systemFiles.rename(from, to)
    },
    async unlink(path) {
      await before({ what: 'unlink', path })
      await systemFiles.unlink(path)
    },
  }
}

/** An error as the operating system gives it. */
export function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: made up by a test`), { code })
}
