import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MasterKey } from '../../src/lib/master-key.ts'
import { openSqliteMetadata } from '../../src/stores/metadata/sqlite.ts'
import { seedImages } from '../seed.ts'

/** Fills the data directory that `ecru.start` will use below `directory` with many images. For a registry that is not running. */
export async function seedEcru(directory: string, images: number): Promise<void> {
  const data = join(directory, 'data')
  await mkdir(data, { recursive: true })
  const metadata = await openSqliteMetadata(join(data, 'metadata.db'), new MasterKey(new Uint8Array(32)))
  try {
    await seedImages(metadata, images)
  } finally {
    await metadata.close()
  }
}
