import { lifecyclePolicyNotFound } from '../domain/lifecycle/errors.ts'
import type { LifecycleAction } from '../domain/lifecycle/rule.ts'
import type { LifecycleRun } from '../domain/lifecycle/run.ts'
import type { RepositoryRef } from '../domain/names.ts'
import type { LifecycleEvaluation } from '../services/lifecycle/lifecycle-evaluation.ts'
import { getRepository } from '../services/repositories/repositories.ts'
import type { LifecyclePolicy } from '../stores/lifecycle.ts'
import type { MetadataStore } from '../stores/metadata.ts'
import { LifecycleJob, type LifecycleJobOptions, type LifecycleParts, type LifecycleReport } from './lifecycle.ts'
import { LifecyclePreviewJob } from './lifecycle-previews.ts'
import { Pace } from './pace.ts'
import { JobRunner } from './runner.ts'
import { WhenDue } from './when-due.ts'

/** How many images of a forecast are told one by one. */
const FORECAST_NAMED_MAX = 1000

/** What the policy of a repository would do now. */
export interface LifecycleForecast {
  readonly repositoryName: string
  readonly imageCount: number
  readonly expiringCount: number
  readonly transitioningCount: number
  readonly lastEvaluatedAt: Date | undefined
  readonly lastRun: LifecycleRun | undefined
  /** Oldest first, if they are not too many. */
  readonly images: readonly {
    readonly digest: string
    readonly tags: readonly string[]
    readonly pushedAt: Date
    readonly action: LifecycleAction
    readonly rulePriority: number
  }[]
}

/** Everything about lifecycle policies that goes on beside requests, and what operators may ask of it. */
export class LifecycleJobs {
  readonly #metadata: MetadataStore
  readonly #evaluation: LifecycleEvaluation
  readonly #isScheduled: boolean
  readonly #job: LifecycleJob
  readonly #runner: JobRunner<unknown>
  readonly #whenDue: WhenDue
  readonly #previewRunner: JobRunner<unknown>
  readonly #whenAsked: WhenDue
  readonly #closing = new AbortController()
  #asked: Promise<unknown> = Promise.resolve()

  constructor(parts: LifecycleParts, settings: LifecycleJobOptions) {
    const { metadata, evaluation, clock, logger } = parts
    this.#metadata = metadata
    this.#evaluation = evaluation
    this.#isScheduled = settings.intervalMs > 0
    this.#job = new LifecycleJob(parts, settings)
    this.#runner = new JobRunner(this.#job, logger, settings.runs)
    const previews = new LifecyclePreviewJob(metadata, evaluation, clock, logger, settings)
    this.#previewRunner = new JobRunner(previews, logger, settings.runs)
    const report = (error: unknown) => {
      if (error instanceof Error) logger.error({ error }, 'it could not be looked for lifecycle policies that are due')
    }
    this.#whenDue = new WhenDue(this.#runner, () => this.#job.isDue(), report)
    this.#whenAsked = new WhenDue(this.#previewRunner, () => previews.isDue(), report)
  }

  start(): void {
    if (this.#isScheduled) this.#whenDue.start()
    this.#whenAsked.start()
  }

  /** Somebody asked for a preview. */
  lookForPreviews(): void {
    this.#whenAsked.look()
  }

  /**
   * The clock was moved: executes what has become due, unless that is left to operators, and answers when it is done.
   * A failure is the job's, and in the log.
   */
  async catchUp(): Promise<void> {
    if (this.#isScheduled) await this.runDue().catch(() => undefined)
  }

  /** Executes everything that is due, and answers when it is done. */
  async runDue(): Promise<void> {
    await this.#runner.runNow()
  }

  /** Makes every preview that was asked for, and answers when they are made. */
  async makePreviews(): Promise<void> {
    await this.#previewRunner.runNow()
  }

  /** Executes the policy of a repository, or every policy, now. Throws `repository-not-found`, `lifecycle-policy-not-found`. */
  async run(target: RepositoryRef | 'all'): Promise<LifecycleReport> {
    const repositoryId = target === 'all' ? 'all' : (await this.#policyOf(target)).repositoryId
    const run = this.#job.runNow(repositoryId, this.#closing.signal)
    this.#asked = Promise.allSettled([this.#asked, run])
    return run
  }

  /** Says what the policy of a repository would do now. Throws `repository-not-found`, `lifecycle-policy-not-found`. */
  async forecast(ref: RepositoryRef): Promise<LifecycleForecast> {
    const { repositoryId, text, lastEvaluatedAt, lastRun } = await this.#policyOf(ref)
    const pace = new Pace(this.#closing.signal)
    const judging = this.#evaluation.judge(repositoryId, text, () => pace.rest())
    this.#asked = Promise.allSettled([this.#asked, judging])
    const { imageCount, decisions } = await judging
    const expiringCount = decisions.filter(({ action }) => action === 'expire').length
    return {
      repositoryName: ref.name,
      imageCount,
      expiringCount,
      transitioningCount: decisions.length - expiringCount,
      lastEvaluatedAt,
      lastRun,
      images: decisions.slice(0, FORECAST_NAMED_MAX).map(({ image, action, rule }) => ({
        digest: image.digest,
        tags: image.tags,
        pushedAt: new Date(image.pushedAtMs),
        action,
        rulePriority: rule.priority,
      })),
    }
  }

  /** Breaks off what is under way, and waits for it. */
  async close(): Promise<void> {
    this.#closing.abort(new Error('The registry is shutting down.'))
    // Runners first: a look that is under way waits for the job it began.
    await Promise.all([this.#runner.close(), this.#previewRunner.close()])
    await Promise.all([this.#whenDue.close(), this.#whenAsked.close()])
    await this.#asked
  }

  #policyOf(ref: RepositoryRef): Promise<LifecyclePolicy> {
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const policy = await view.lifecycle.findPolicy(id)
      if (policy === undefined) throw lifecyclePolicyNotFound(ref)
      return policy
    })
  }
}
