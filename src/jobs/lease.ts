import type { Clock } from '../lib/clock.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'

/** How long a process that died keeps others from its job. */
const LEASE_MS = 60_000

/** Another process does the job by now. */
export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** The right of one process among those that share a store to do a certain job. */
export class Lease {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #name: string
  readonly #holder: string

  constructor(metadata: MetadataStore, clock: Clock, name: string, holder: string) {
    this.#metadata = metadata
    this.#clock = clock
    this.#name = name
    this.#holder = holder
  }

  /** Does the work under the lease; answers `undefined`, and does nothing, while another process has it. */
  async hold<T>(work: () => Promise<T>): Promise<T | undefined> {
    const isTaken = await this.#metadata.transact((tx) => this.#take(tx), { durability: 'relaxed' })
    if (!isTaken) return undefined
    try {
      return await work()
    } finally {
      await this.#metadata.transact((tx) => tx.leases.release(this.#name, this.#holder), { durability: 'relaxed' })
    }
  }

  /** Prolongs the lease inside a transaction of the work, which it thereby undoes when the lease was lost. Throws `LeaseLost`. */
  async prove(tx: MetadataWriter): Promise<void> {
    if (!(await this.#take(tx))) throw new LeaseLost(`Another process does '${this.#name}' by now.`)
  }

  #take(tx: MetadataWriter): Promise<boolean> {
    const now = this.#clock.now()
    return tx.leases.take(this.#name, this.#holder, now, new Date(now.getTime() + LEASE_MS))
  }
}
