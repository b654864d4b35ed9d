import { open, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { isRegistryError } from '../domain/errors.ts'
import { type Compression, decompressed } from '../lib/decompressed.ts'
import { MovingFailure } from './places.ts'

/** So much stays free where archives are unpacked, whatever they hold. */
const FREE_BYTES_MIN = 128 * 1024 * 1024
const LOOK_EVERY_BYTES = 32 * 1024 * 1024

/** Writes the bytes of a packed stream to a file. Throws `MovingFailure` when they are damaged, or more than there is room for. */
export async function unpackTo(
  path: string,
  source: AsyncIterable<Uint8Array>,
  compression: Compression,
): Promise<void> {
  const file = await open(path, 'w', 0o600)
  try {
    let unlooked = 0
    for await (const chunk of decompressed(source, compression)) {
      unlooked += chunk.byteLength
      if (unlooked >= LOOK_EVERY_BYTES) {
        await mustHaveRoom(dirname(path))
        unlooked = 0
      }
      for (let at = 0; at < chunk.byteLength; ) at += (await file.write(chunk, at)).bytesWritten
    }
  } catch (error) {
    if (isRegistryError(error, 'layer-unreadable'))
      throw new MovingFailure('The archive cannot be unpacked: it is damaged, or cut off.', { cause: error })
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') throw noRoom(dirname(path))
    throw error
  } finally {
    await file.close()
  }
}

async function mustHaveRoom(directory: string): Promise<void> {
  const { bavail, bsize } = await statfs(directory)
  if (bavail * bsize < FREE_BYTES_MIN) throw noRoom(directory)
}

function noRoom(directory: string): MovingFailure {
  return new MovingFailure(`There is no room to unpack the archive in ${directory}: TMPDIR names another place.`)
}
