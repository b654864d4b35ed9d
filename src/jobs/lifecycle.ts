import { repositoryArn } from '../domain/arn.ts'
import { type AuditTrail, NO_TRAIL } from '../domain/audit/api-call.ts'
import { policyExecution } from '../domain/audit/policy-execution.ts'
import { parseLifecyclePolicy } from '../domain/lifecycle/parse.ts'
import type { LifecycleActed, LifecycleFailure, LifecycleRun } from '../domain/lifecycle/run.ts'
import type { RepositoryRef } from '../domain/names.ts'
import type { Clock } from '../lib/clock.ts'
import type { LogFacts, Logger } from '../lib/logger.ts'
import type { LifecycleEvaluation } from '../services/lifecycle/lifecycle-evaluation.ts'
import type { LifecycleExecution } from '../services/lifecycle/lifecycle-execution.ts'
import type { LifecyclePolicy, PlacedLifecyclePolicy } from '../stores/lifecycle.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { JobRuns } from './job-runs.ts'
import { Lease, LeaseLost } from './lease.ts'
import { Pace } from './pace.ts'
import type { Job } from './runner.ts'

/** How much of what a run did its record names. */
const ACTIONS_NAMED_MAX = 100
const FAILURES_NAMED_MAX = 20
/** A policy whose run failed is tried again after this. */
const RETRY_MS = 5 * 60 * 1000

/** How many of the runs that a report sums up are told one by one. */
const RUNS_NAMED_MAX = 1000

/** A run, and where it was. */
export interface PlacedLifecycleRun extends LifecycleRun {
  readonly registryId: string
  readonly region: string
  readonly repositoryName: string
}

export interface LifecycleReport {
  /** True: another process is at it, and nothing was done here. */
  readonly isElsewhere: boolean
  /** How many policies were executed. */
  readonly repositories: number
  readonly images: number
  readonly expiredImages: number
  readonly archivedImages: number
  /** Images that had to stay, and policies that could not be executed. */
  readonly failures: number
  readonly tookMs: number
  /** The runs one by one, if they are not too many. */
  readonly runs: readonly PlacedLifecycleRun[]
}

export interface LifecycleJobOptions {
  /** Names this process among those that share the store. */
  readonly holder: string
  /** How often each policy is executed; 0 leaves it to operators. */
  readonly intervalMs: number
  /** What leases go by, when it is not the clock of all else: processes that share a store must agree on it. */
  readonly leaseClock?: Clock
  /** Hears of every run. */
  readonly audit?: AuditTrail
  /** Remembers how the runs fare. */
  readonly runs?: JobRuns
}

/** What lifecycle policies are executed by. */
export interface LifecycleParts {
  readonly metadata: MetadataStore
  readonly evaluation: LifecycleEvaluation
  readonly execution: LifecycleExecution
  readonly clock: Clock
  readonly logger: Logger
}

/**
 * Executes the lifecycle policies that are due, one repository after the other, in small steps beside traffic. When a policy
 * is due stands in its record until its run has ended, so that a run that broke off is made again from the start, which
 * finds done what was done.
 */
export class LifecycleJob implements Job<LifecycleReport> {
  readonly name = 'lifecycle'
  readonly #metadata: MetadataStore
  readonly #evaluation: LifecycleEvaluation
  readonly #execution: LifecycleExecution
  readonly #clock: Clock
  readonly #logger: Logger
  readonly #lease: Lease
  readonly #intervalMs: number
  readonly #audit: AuditTrail
  #lastTurn: Promise<unknown> = Promise.resolve()

  constructor(
    parts: LifecycleParts,
    { holder, intervalMs, leaseClock = parts.clock, audit = NO_TRAIL }: LifecycleJobOptions,
  ) {
    const { metadata, evaluation, execution, clock, logger } = parts
    this.#metadata = metadata
    this.#evaluation = evaluation
    this.#execution = execution
    this.#clock = clock
    this.#logger = logger
    this.#lease = new Lease(metadata, leaseClock, 'lifecycle', holder)
    this.#intervalMs = intervalMs
    this.#audit = audit
  }

  async isDue(): Promise<boolean> {
    return (await this.#metadata.view.lifecycle.listDue(this.#clock.now(), 1)).length > 0
  }

  /** Executes what is due. */
  run(signal: AbortSignal): Promise<LifecycleReport> {
    return this.#inTurn(() => this.#runThose(this.#due(), signal))
  }

  /** Executes the policy of a repository, or of every one, whether or not it is due. */
  runNow(repositoryId: number | 'all', signal: AbortSignal): Promise<LifecycleReport> {
    return this.#inTurn(() => this.#runThose(this.#policiesOf(repositoryId), signal))
  }

  summary({ runs: _runs, ...sums }: LifecycleReport): LogFacts {
    return sums
  }

  /** One after the other: two runs at a time would only stand in each other's way. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#lastTurn.then(work)
    this.#lastTurn = turn.catch(() => undefined)
    return turn
  }

  /** Only what was due at the beginning: a policy that stays due would keep the job from ever ending. */
  async *#due(): AsyncGenerator<PlacedLifecyclePolicy> {
    const startedAt = this.#clock.now()
    const seen = new Set<string>()
    for (;;) {
      const [due] = await this.#metadata.view.lifecycle.listDue(startedAt, 1)
      if (due === undefined || seen.has(due.policy.policyId)) return
      seen.add(due.policy.policyId)
      yield due
    }
  }

  async *#policiesOf(repositoryId: number | 'all'): AsyncGenerator<PlacedLifecyclePolicy> {
    let after = repositoryId === 'all' ? 0 : repositoryId - 1
    for (;;) {
      const [next] = await this.#metadata.view.lifecycle.listPolicies({ after, limit: 1 })
      if (next === undefined || (repositoryId !== 'all' && next.policy.repositoryId !== repositoryId)) return
      yield next
      after = next.policy.repositoryId
    }
  }

  async #runThose(policies: AsyncIterable<PlacedLifecyclePolicy>, signal: AbortSignal): Promise<LifecycleReport> {
    const startedAtMs = this.#clock.now().getTime()
    const sums = { repositories: 0, images: 0, expiredImages: 0, archivedImages: 0, failures: 0 }
    const runs: PlacedLifecycleRun[] = []
    const isHeld = await this.#lease.hold(async () => {
      const pace = new Pace(signal)
      for await (const placed of policies) {
        const run = await this.#runOne(placed, pace)
        sums.repositories++
        sums.images += run?.imageCount ?? 0
        sums.expiredImages += run?.expiredCount ?? 0
        sums.archivedImages += run?.transitionedCount ?? 0
        sums.failures += run?.failedCount ?? 1
        const { registry, name } = placed.repository
        if (run !== undefined && runs.length < RUNS_NAMED_MAX)
          runs.push({ registryId: registry.registryId, region: registry.region, repositoryName: name, ...run })
        await pace.rest()
      }
      return true
    })
    return { isElsewhere: isHeld === undefined, ...sums, tookMs: this.#clock.now().getTime() - startedAtMs, runs }
  }

  /** `undefined`: it failed, which is in the log, and others have their turn. */
  async #runOne({ repository, policy }: PlacedLifecyclePolicy, pace: Pace): Promise<LifecycleRun | undefined> {
    const facts = { job: this.name, repository: repositoryArn(repository) }
    try {
      const run = await this.#execute({ repository, policy }, pace)
      await this.#record(policy, run, this.#intervalMs)
      this.#tell(repository, policy, run)
      const { imageCount, expiredCount, transitionedCount, followedCount, changedCount, failedCount } = run
      const counts = { imageCount, expiredCount, transitionedCount, followedCount, changedCount, failedCount }
      this.#logger.info({ ...facts, ...counts }, 'lifecycle policy executed')
      for (const { digest, code, reason } of run.failures)
        this.#logger.debug({ ...facts, digest, code, reason }, 'image could not be expired or archived')
      return run
    } catch (error) {
      if (pace.isOver || error instanceof LeaseLost || !(error instanceof Error)) throw error
      this.#logger.error({ ...facts, error }, 'lifecycle policy could not be executed')
      await this.#metadata.transact((tx) => tx.lifecycle.postpone(policy, this.#after(RETRY_MS)), {
        durability: 'relaxed',
      })
      return undefined
    }
  }

  async #execute({ repository, policy }: PlacedLifecyclePolicy, pace: Pace): Promise<LifecycleRun> {
    const startedAt = this.#clock.now()
    const { imageCount, decisions } = await this.#evaluation.judge(policy.repositoryId, policy.text, () => pace.rest())
    const counts = { expiredCount: 0, transitionedCount: 0, followedCount: 0, changedCount: 0, failedCount: 0 }
    const actions: LifecycleActed[] = []
    const failures: LifecycleFailure[] = []
    const guard = (tx: MetadataWriter) => this.#lease.prove(tx)
    for await (const outcomes of this.#execution.execute(repository, policy, decisions, guard)) {
      for (const outcome of outcomes) {
        if (outcome.kind === 'changed') counts.changedCount++
        else if (outcome.kind === 'failed') {
          counts.failedCount++
          if (failures.length < FAILURES_NAMED_MAX) failures.push(outcome.failure)
        } else {
          counts[outcome.acted.action === 'expire' ? 'expiredCount' : 'transitionedCount']++
          counts.followedCount += outcome.followedCount
          if (actions.length < ACTIONS_NAMED_MAX) actions.push(outcome.acted)
        }
      }
      await pace.rest()
    }
    return { startedAt, endedAt: this.#clock.now(), imageCount, ...counts, actions, failures }
  }

  /** Proves the lease once more, so that of two runs that overlapped the later one has the last word. */
  async #record(policy: LifecyclePolicy, run: LifecycleRun, nextInMs: number): Promise<void> {
    await this.#metadata.transact(
      async (tx) => {
        await this.#lease.prove(tx)
        await tx.lifecycle.recordRun(policy, run, this.#after(nextInMs))
      },
      { durability: 'relaxed' },
    )
  }

  #tell(ref: RepositoryRef, { policyId, text }: LifecyclePolicy, run: LifecycleRun): void {
    if (this.#audit.isOn)
      this.#audit.recordServiceEvent(policyExecution(ref, { policyId, rules: parseLifecyclePolicy(text), run }))
  }

  #after(ms: number): Date {
    return new Date(this.#clock.now().getTime() + ms)
  }
}
