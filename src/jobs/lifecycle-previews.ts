import type { LifecycleDecision } from '../domain/lifecycle/evaluate.ts'
import type { LifecycleStorageClass } from '../domain/lifecycle/rule.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { LifecycleEvaluation } from '../services/lifecycle/lifecycle-evaluation.ts'
import type { LifecyclePreview, LifecyclePreviewResult, PreviewCounts } from '../stores/lifecycle.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import { Lease, LeaseLost } from './lease.ts'
import { Pace } from './pace.ts'
import type { Job } from './runner.ts'

/** How many results one transaction writes or removes. */
const STEP = 500

export interface LifecyclePreviewReport {
  readonly previews: number
  readonly tookMs: number
}

/**
 * Makes the previews that were asked for, and removes the results of those whose time is over. A preview stands in the store
 * from the moment it was asked for, so that one that broke off is made again.
 */
export class LifecyclePreviewJob implements Job<LifecyclePreviewReport> {
  readonly name = 'lifecycle-previews'
  readonly #metadata: MetadataStore
  readonly #evaluation: LifecycleEvaluation
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lease: Lease

  /** `holder` names this process among those that share the store. */
  constructor(
    metadata: MetadataStore,
    evaluation: LifecycleEvaluation,
    clock: Clock,
    logger: Logger,
    { holder, leaseClock = clock }: { readonly holder: string; readonly leaseClock?: Clock },
  ) {
    this.#metadata = metadata
    this.#evaluation = evaluation
    this.#clock = clock
    this.#logger = logger
    this.#lease = new Lease(metadata, leaseClock, this.name, holder)
  }

  async isDue(): Promise<boolean> {
    const { lifecycle } = this.#metadata.view
    return (await lifecycle.listUnfinishedPreviews(1)).length > 0 || (await lifecycle.isPurgeDue(this.#clock.now()))
  }

  async run(signal: AbortSignal): Promise<LifecyclePreviewReport> {
    const startedAtMs = this.#clock.now().getTime()
    let previews = 0
    await this.#lease.hold(async () => {
      const pace = new Pace(signal)
      for (;;) {
        // What somebody waits for comes before what is only to be cleared away.
        const [preview] = await this.#metadata.view.lifecycle.listUnfinishedPreviews(1)
        if (preview !== undefined) {
          await this.#make(preview, pace)
          previews++
        } else if ((await this.#change((tx) => tx.lifecycle.purgePreviews(this.#clock.now(), STEP))) === 0) break
        await pace.rest()
      }
    })
    return { previews, tookMs: this.#clock.now().getTime() - startedAtMs }
  }

  summary(report: LifecyclePreviewReport): LogFacts {
    return { ...report }
  }

  async #make(preview: LifecyclePreview, pace: Pace): Promise<void> {
    const { id, repositoryId, text } = preview
    try {
      while ((await this.#change((tx) => tx.lifecycle.deletePreviewResults(id, STEP))) > 0) await pace.rest()
      const { decisions } = await this.#evaluation.judge(repositoryId, text, () => pace.rest())
      for (let from = 0; from < decisions.length; from += STEP) {
        const results = decisions.slice(from, from + STEP).map((decision, at) => resultOf(decision, from + at + 1))
        await this.#change((tx) => tx.lifecycle.addPreviewResults(id, results))
        await pace.rest()
      }
      await this.#end(preview, 'COMPLETE', countsOf(decisions))
    } catch (error) {
      if (pace.isOver || error instanceof LeaseLost || !(error instanceof Error)) throw error
      this.#logger.error({ job: this.name, error }, 'lifecycle preview could not be made')
      await this.#end(preview, 'FAILED', { expiring: 0, transitioning: 0 })
    }
  }

  async #end({ id }: LifecyclePreview, status: 'COMPLETE' | 'FAILED', counts: PreviewCounts): Promise<void> {
    await this.#change((tx) => tx.lifecycle.endPreview(id, status, counts))
  }

  /** Each step proves the lease. Nobody was promised a result, so none waits for the disk. */
  #change<T>(work: (tx: MetadataWriter) => Promise<T>): Promise<T> {
    return this.#metadata.transact(
      async (tx) => {
        await this.#lease.prove(tx)
        return work(tx)
      },
      { durability: 'relaxed' },
    )
  }
}

function resultOf({ image, action, rule }: LifecycleDecision, position: number): LifecyclePreviewResult {
  const storageClass: LifecycleStorageClass = rule.storageClass
  const pushedAt = new Date(image.pushedAtMs)
  return {
    position,
    digest: image.digest,
    tags: image.tags,
    pushedAt,
    storageClass,
    action,
    rulePriority: rule.priority,
  }
}

function countsOf(decisions: readonly LifecycleDecision[]): PreviewCounts {
  const expiring = decisions.filter(({ action }) => action === 'expire').length
  return { expiring, transitioning: decisions.length - expiring }
}
