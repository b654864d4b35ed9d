import { invalidParameters } from '../../domain/errors.ts'
import { parseRegion, parseRegistryId, type Registry } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { ReplicationLag } from '../../stores/replication.ts'
import { repositoryKey } from '../../stores/replication-deletions.ts'
import type { PushReplication } from './push-replication.ts'

/** What operators ask about replication. */
export const REPLICATION_COMMANDS = ['backfill', 'retry', 'status'] as const
export type ReplicationCommand = (typeof REPLICATION_COMMANDS)[number]

/** `account` and `region`: the registry whose images a back-fill copies, where it is not the default one. */
export type ReplicationParameters = Readonly<Record<string, string>>

const STEP = 50
/** How many images that have not arrived a status names. */
const NAMED_MAX = 100

/** What operators see and do of replication, whichever registries it is about. */
export class ReplicationCommands {
  readonly #metadata: MetadataStore
  readonly #replication: PushReplication
  readonly #defaultRegistry: Registry
  readonly #clock: Clock

  constructor(metadata: MetadataStore, replication: PushReplication, defaultRegistry: Registry, clock: Clock) {
    this.#metadata = metadata
    this.#replication = replication
    this.#defaultRegistry = defaultRegistry
    this.#clock = clock
  }

  async run(command: ReplicationCommand, parameters: ReplicationParameters): Promise<object> {
    const unknown = Object.keys(parameters).find((name) => command !== 'backfill' || !/^(account|region)$/.test(name))
    if (unknown !== undefined) throw invalidParameters(`${command} has no parameter "${unknown}"`)
    if (command === 'status') return this.#status()
    const { account, region } = parameters
    const requested =
      command === 'retry'
        ? await this.#retry()
        : await this.#backfill({
            registryId: account === undefined ? this.#defaultRegistry.registryId : parseRegistryId(account),
            region: region === undefined ? this.#defaultRegistry.region : parseRegion(region),
          })
    if (requested > 0) this.#replication.announce()
    return { requested }
  }

  async #status(): Promise<object> {
    const nowMs = this.#clock.now().getTime()
    const [lags, unfinished, deletions] = await this.#metadata.read(async (view) => [
      await view.replications.lags(),
      await view.replications.listUnfinished({ limit: NAMED_MAX }),
      await view.replicationDeletions.listUnfinished({ limit: NAMED_MAX }),
    ])
    return {
      destinations: lags.map((lag) => ({
        destination: `${lag.destination.registryId}/${lag.destination.region}`,
        pending: lag.pendingCount,
        pendingDeletions: lag.pendingDeletionCount,
        failed: lag.failedCount,
        failedDeletions: lag.failedDeletionCount,
        lagSeconds: lagSeconds(lag, nowMs),
      })),
      images: unfinished.map(({ ref, digest, tags, replication, attempts }) => ({
        image: `${ref.registry.registryId}/${ref.registry.region}/${ref.name}@${digest}`,
        tags,
        destination: `${replication.destination.registryId}/${replication.destination.region}`,
        status: replication.status,
        attempts,
        failureCode: replication.failure?.code,
        failureReason: replication.failure?.reason,
      })),
      deletions: deletions.map(({ ref, digest, tags, destination, status, attempts, failure }) => ({
        repository: repositoryKey(ref),
        digest,
        tags,
        destination: `${destination.registryId}/${destination.region}`,
        status,
        attempts,
        failureCode: failure?.code,
        failureReason: failure?.reason,
      })),
    }
  }

  /** Asks again for everything that has failed, copies and deletions. */
  async #retry(): Promise<number> {
    let requested = 0
    for (let after = 0; ; ) {
      const page = await this.#metadata.view.replications.listUnfinished({ after, limit: STEP })
      const failed = page.filter(({ replication }) => replication.status === 'FAILED')
      await this.#metadata.transact(async (tx) => {
        for (const { imageId, replication, tags } of failed) {
          const now = await tx.replications.listOfImage(imageId)
          const { registryId, region } = replication.destination
          const isStill = now.some(
            (one) =>
              one.status === 'FAILED' && one.destination.registryId === registryId && one.destination.region === region,
          )
          if (!isStill) continue
          await tx.replications.request(imageId, replication.destination, tags, this.#clock.now())
          requested++
        }
      })
      const last = page.at(-1)
      if (last === undefined || page.length < STEP) return requested + (await this.#retryDeletions())
      after = last.id
    }
  }

  async #retryDeletions(): Promise<number> {
    let requested = 0
    for (let after = 0; ; ) {
      const page = await this.#metadata.view.replicationDeletions.listUnfinished({ after, limit: STEP })
      const failed = page.filter(({ status }) => status === 'FAILED')
      await this.#metadata.transact(async (tx) => {
        for (const { id } of failed) await tx.replicationDeletions.retry(id, this.#clock.now())
      })
      requested += failed.length
      const last = page.at(-1)
      if (last === undefined || page.length < STEP) return requested
      after = last.id
    }
  }

  /** Asks for copies of what was pushed before replication was configured; what a destination was asked to take before is left out there. */
  async #backfill(registry: Registry): Promise<number> {
    let requested = 0
    for (let after: Repository['name'] | undefined; ; ) {
      const page = await this.#metadata.view.repositories.list(registry, { after, limit: STEP })
      for (const repository of page) requested += await this.#backfillRepository(repository)
      const last = page.at(-1)
      if (last === undefined || page.length < STEP) return requested
      after = last.name
    }
  }

  async #backfillRepository(repository: Repository): Promise<number> {
    let requested = 0
    const { images } = this.#metadata.view
    for (let after: Awaited<ReturnType<typeof images.list>>[number]['digest'] | undefined; ; ) {
      const page = await images.list(repository.id, { status: 'ACTIVE' }, { after, limit: STEP })
      await this.#metadata.transact(async (tx) => {
        for (const { id, digest } of page) {
          const image = await tx.images.find(repository.id, { digest })
          if (image?.id !== id) continue
          const tags = await tx.images.tagsOf(id)
          if (await this.#replication.requestMissing(tx, repository, tags, image)) requested++
        }
      })
      const last = page.at(-1)
      if (last === undefined || page.length < STEP) return requested
      after = last.digest
    }
  }
}

function lagSeconds({ oldestRequestedAt }: ReplicationLag, nowMs: number): number {
  return oldestRequestedAt === undefined ? 0 : Math.max(0, (nowMs - oldestRequestedAt.getTime()) / 1000)
}
