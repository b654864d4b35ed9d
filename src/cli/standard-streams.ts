import { createReadStream, write } from 'node:fs'
import type { ByteStreams } from './terminal.ts'

const BUSY_MS = 5

/** Standard input and output of the process. */
export const standardStreams: ByteStreams = {
  read: () => createReadStream('', { fd: 0, autoClose: false, highWaterMark: 256 * 1024 }) as AsyncIterable<Uint8Array>,
  async write(bytes) {
    for (let at = 0; at < bytes.byteLength; ) at += await writeSome(bytes.subarray(at))
  },
}

/** A pipe that is full and must not be waited for by the kernel is asked again. */
async function writeSome(bytes: Uint8Array): Promise<number> {
  try {
    return await new Promise<number>((resolve, reject) => {
      write(1, bytes, (error, written) => (error === null ? resolve(written) : reject(error)))
    })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error
    await new Promise((resolve) => setTimeout(resolve, BUSY_MS))
    return 0
  }
}
