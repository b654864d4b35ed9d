import { createHash } from 'node:crypto'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { secretOf } from '../secret-of.ts'

/** The name of the installation's secret that tells it from others. */
const IDENTITY = 'identity'

/** What tells an installation from every other one, and may be read by anybody; a restored one is the same. */
export async function installationId(metadata: MetadataStore, ids: Ids): Promise<string> {
  return createHash('sha256')
    .update(await secretOf(metadata, IDENTITY, ids))
    .digest('hex')
    .slice(0, 32)
}
