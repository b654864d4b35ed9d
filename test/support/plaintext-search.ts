import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** The files below a directory in which a text lies in clear: as it is, or in base64 at any offset. */
export async function filesHolding(directory: string, text: string): Promise<readonly string[]> {
  const needles = [Buffer.from(text), ...base64Forms(text)]
  const found: string[] = []
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    // Staged files come and go.
    const bytes = await readFile(path).catch(() => Buffer.alloc(0))
    if (needles.some((needle) => bytes.includes(needle))) found.push(path.slice(directory.length + 1))
  }
  return found
}

/** What is the same in the base64 of whatever stands around the text. */
function base64Forms(text: string): readonly Buffer[] {
  return [0, 1, 2].map((offset) => {
    const whole = Buffer.from(`${'x'.repeat(offset)}${text}`).toString('base64')
    return Buffer.from(whole.slice(4, -4))
  })
}
