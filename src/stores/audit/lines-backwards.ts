import { type FileHandle, open } from 'node:fs/promises'

const CHUNK_BYTES = 256 * 1024
const NEWLINE = 0x0a

/** The lines of a file, last first, without a piece at the end that no line break closes. Constant memory but for the longest line. */
export async function* linesBackwards(path: string): AsyncGenerator<string> {
  const handle = await open(path)
  try {
    let end = (await handle.stat()).size
    /** The beginning of a line whose rest lies behind. */
    let carried: Buffer = Buffer.alloc(0)
    let isFirst = true
    while (end > 0) {
      const start = Math.max(0, end - CHUNK_BYTES)
      const bytes = Buffer.concat([await readExactly(handle, start, end - start), carried])
      let lineEnd = bytes.length
      for (
        let at = bytes.lastIndexOf(NEWLINE, lineEnd - 1);
        at >= 0;
        at = at === 0 ? -1 : bytes.lastIndexOf(NEWLINE, at - 1)
      ) {
        if (!isFirst) yield bytes.toString('utf8', at + 1, lineEnd)
        isFirst = false
        lineEnd = at
      }
      carried = bytes.subarray(0, lineEnd)
      end = start
    }
    if (!isFirst) yield carried.toString('utf8')
  } finally {
    await handle.close()
  }
}

/** The last whole line and where it ends, after its line break. */
export async function lastLine(path: string): Promise<{ readonly line: string | undefined; readonly endsAt: number }> {
  const endsAt = await lastBreak(path)
  if (endsAt === 0) return { line: undefined, endsAt }
  for await (const line of linesBackwards(path)) return { line, endsAt }
  return { line: undefined, endsAt: 0 }
}

/** Behind the last line break of a file; 0 when there is none. */
async function lastBreak(path: string): Promise<number> {
  const handle = await open(path)
  try {
    let end = (await handle.stat()).size
    while (end > 0) {
      const start = Math.max(0, end - CHUNK_BYTES)
      const at = (await readExactly(handle, start, end - start)).lastIndexOf(NEWLINE)
      if (at >= 0) return start + at + 1
      end = start
    }
    return 0
  } finally {
    await handle.close()
  }
}

async function readExactly(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.alloc(length)
  let at = 0
  while (at < length) {
    const { bytesRead } = await handle.read(buffer, at, length - at, position + at)
    if (bytesRead === 0) break
    at += bytesRead
  }
  return buffer.subarray(0, at)
}
