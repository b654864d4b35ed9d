import { createHmac } from 'node:crypto'
import type { Registry } from '../../domain/names.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { secretOf } from '../secret-of.ts'

/** The name of the installation's secret of which those of webhooks are made. */
const WEBHOOK_KEY = 'webhook-key'

/** By which the webhooks of an account in a region are signed. */
export async function webhookSecret(
  metadata: MetadataStore,
  ids: Ids,
  { registryId, region }: Registry,
): Promise<string> {
  const key = await secretOf(metadata, WEBHOOK_KEY, ids)
  return createHmac('sha256', key).update(`webhooks of ${registryId} in ${region}`).digest('hex')
}
