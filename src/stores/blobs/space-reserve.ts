import { statfsSync } from 'node:fs'
import { storageFull } from '../../domain/errors.ts'

const RESERVE_BYTES_MAX = 64 * 1024 * 1024
const RESERVE_SHARE = 0.05
/** How many bytes may arrive between two looks at the file system. */
const LOOK_EVERY_BYTES = 4 * 1024 * 1024

/** What a look at a file system tells, in bytes. */
export interface Space {
  readonly totalBytes: number
  readonly freeBytes: number
}

/**
 * Keeps the last of a file system's space (64 MiB, or a twentieth of a small one) from being filled with layers, so that
 * records can still be written: without it nobody could delete an image to make room.
 */
export class SpaceReserve {
  readonly #look: () => Space
  #unseenBytes = LOOK_EVERY_BYTES

  constructor(directory: string, look = () => spaceOf(directory)) {
    this.#look = look
  }

  /** To be told of bytes before they are written. Throws `storage-full` when only the reserve is left. */
  take(bytes: number): void {
    this.#unseenBytes += bytes
    if (this.#unseenBytes < LOOK_EVERY_BYTES) return
    const { totalBytes, freeBytes } = this.#look()
    // So much may be written before the next look.
    const aheadBytes = Math.min(LOOK_EVERY_BYTES, totalBytes * RESERVE_SHARE)
    if (freeBytes - aheadBytes - bytes < Math.min(RESERVE_BYTES_MAX, totalBytes * RESERVE_SHARE)) {
      this.#unseenBytes = LOOK_EVERY_BYTES
      throw storageFull()
    }
    this.#unseenBytes = 0
  }
}

function spaceOf(directory: string): Space {
  const { bsize, blocks, bavail } = statfsSync(directory)
  return { totalBytes: blocks * bsize, freeBytes: bavail * bsize }
}
