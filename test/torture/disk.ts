import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'

/** What lies in a data directory, whatever the server says of it. */
export interface DiskContent {
  /** Digests of the blobs' files. */
  readonly blobs: ReadonlySet<string>
  /** When each staged upload was written to last. */
  readonly uploads: readonly Date[]
}

/** Finds blobs and staged uploads by the names of their files, wherever below the directory they are. */
export async function readDisk(dataDir: string): Promise<DiskContent> {
  const blobs = new Set<string>()
  const uploads: Date[] = []
  const entries = await readdir(dataDir, { recursive: true, withFileTypes: true })
  for (const entry of entries) {
    if (!entry.isFile()) continue
    const algorithm = /\/(sha256|sha512)\/[0-9a-f]{2}$/.exec(entry.parentPath)?.[1]
    if (algorithm !== undefined) blobs.add(`${algorithm}:${entry.name}`)
    else if (entry.parentPath.endsWith('/uploads')) {
      const found = await stat(join(entry.parentPath, entry.name)).catch(() => undefined)
      if (found !== undefined) uploads.push(found.mtime)
    }
  }
  return { blobs, uploads }
}
