import { dataLimitExceeded } from '../../domain/public-registry.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { guesserOf } from '../credentials/attempts.ts'

/**
 * How many bytes of layers each address may pull from public registries in a calendar month (UTC) without a login. What it
 * has pulled is kept, and survives restarts. The pull that goes beyond is still served, the ones after it are not.
 */
export class PublicPullQuota {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #bytesMax: number

  constructor(metadata: MetadataStore, clock: Clock, bytesMax: number) {
    this.#metadata = metadata
    this.#clock = clock
    this.#bytesMax = bytesMax
  }

  /** Throws `limit-exceeded` when the address has pulled all that it may this month. */
  async check(address: string): Promise<void> {
    if (!this.#isLimited()) return
    if ((await this.#metadata.view.publicRegistries.pulledBytes(this.#puller(address))) >= this.#bytesMax)
      throw dataLimitExceeded()
  }

  async add(address: string, bytes: number): Promise<void> {
    if (!this.#isLimited() || bytes === 0) return
    const puller = this.#puller(address)
    await this.#metadata.transact((tx) => tx.publicRegistries.addPulledBytes(puller, bytes), { durability: 'relaxed' })
  }

  #isLimited(): boolean {
    return this.#bytesMax < Number.MAX_SAFE_INTEGER
  }

  /** A client of IPv6 has a whole network to itself. */
  #puller(address: string) {
    return { month: this.#clock.now().toISOString().slice(0, 7), address: guesserOf(address) }
  }
}
