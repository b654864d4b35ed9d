import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MasterKey } from '../../src/lib/master-key.ts'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { sha256 } from '../registry-client.ts'
import { seedImages } from '../seed.ts'

/** Where a data directory keeps a blob. */
export function blobFileBelow(data: string, content: string): string {
  const hex = sha256(Buffer.from(content)).slice('sha256:'.length)
  return join(data, 'blobs/sha256', hex.slice(0, 2), hex)
}

/** Fills the data directory that `ecru.start` will use below `directory` with many images. For a registry that is not running. */
export async function seedEcru(directory: string, images: number): Promise<void> {
  const data = join(directory, 'data')
  await mkdir(data, { recursive: true })
  const key = new Uint8Array(32)
  // The registry that starts there has to find the key of what is sealed.
  await writeFile(join(data, 'master.key'), `${Buffer.from(key).toString('base64')}\n`, { mode: 0o600 })
  const metadata = await openSqliteMetadata(join(data, 'metadata.db'), new MasterKey(key))
  try {
    await seedImages(metadata, images)
  } finally {
    await metadata.close()
  }
}
