import { setTimeout as sleep } from 'node:timers/promises'
import { throttled } from '../../domain/errors.ts'
import type { BlobAddress } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

const RETRY_MS = 20
const ATTEMPTS_MAX = 500

/**
 * Claims an address for bytes that are about to arrive, so that no sweep takes them before something names them. Waits
 * while a sweep is deleting that very blob. Throws `throttled` when that never ends.
 */
export async function claimBlob(metadata: MetadataStore, address: BlobAddress, clock: Clock): Promise<void> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const isClaimed = await metadata.transact((tx) => tx.blobs.claim(address, clock.now()), { durability: 'relaxed' })
    if (isClaimed) return
    await sleep(RETRY_MS)
  }
  throw throttled()
}
