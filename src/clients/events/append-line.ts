import { open } from 'node:fs/promises'

const NEWLINE = 0x0a

/**
 * Adds a line to a file, which is made when there is none, and answers when it is on the disk. A line that was left unfinished,
 * when the disk was full, is ended first, so that what comes behind it can be read.
 */
export async function appendLine(path: string, line: string): Promise<void> {
  const file = await open(path, 'a+', 0o600)
  try {
    const stat = await file.stat()
    let start = ''
    if (stat.isFile() && stat.size > 0) {
      const { buffer } = await file.read(Buffer.alloc(1), 0, 1, stat.size - 1)
      if (buffer[0] !== NEWLINE) start = '\n'
    }
    await file.appendFile(`${start}${line}\n`)
    if (stat.isFile()) await file.sync()
  } finally {
    await file.close()
  }
}
