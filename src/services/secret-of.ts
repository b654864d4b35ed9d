import type { Ids } from '../lib/ids.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** The installation's secret of that name, made (32 random bytes) when it is first asked for. */
export async function secretOf(metadata: MetadataStore, name: string, ids: Ids): Promise<Uint8Array> {
  const known = await metadata.view.credentials.findSecret(name)
  return known ?? metadata.transact((tx) => tx.credentials.keepSecret(name, ids.secret(32)))
}
