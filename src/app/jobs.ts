import type { Config } from '../config/config.ts'
import { invalidParameter } from '../domain/errors.ts'
import type { AccessQuestion, AccessReport } from '../domain/iam/access-report.ts'
import { parseRepositoryName, parseTag, type RepositoryRef } from '../domain/names.ts'
import { rootPrincipal } from '../domain/principal.ts'
import { AdvisoryFetch } from '../jobs/advisories.ts'
import { AdvisoryImportJobs, AdvisoryImports } from '../jobs/advisory-imports.ts'
import { AlarmJob, AlarmJobs } from '../jobs/alarms.ts'
import type { BackupReport, BackupRequest } from '../jobs/backup.ts'
import type { DeliveryCounts } from '../jobs/event-delivery.ts'
import { GarbageCollector, type GcReport } from '../jobs/gc.ts'
import { JobRuns } from '../jobs/job-runs.ts'
import { KeysJobs } from '../jobs/keys.ts'
import type { LifecycleReport } from '../jobs/lifecycle.ts'
import { type LifecycleForecast, LifecycleJobs } from '../jobs/lifecycle-jobs.ts'
import { MetricUpkeep } from '../jobs/metric-upkeep.ts'
import { Pace } from '../jobs/pace.ts'
import { JobRunner } from '../jobs/runner.ts'
import { ScanJob, ScanJobs } from '../jobs/scan.ts'
import { ScanRematch } from '../jobs/scan-rematch.ts'
import { ScanRenewal } from '../jobs/scan-renewal.ts'
import { ScanSealing } from '../jobs/scan-sealing.ts'
import { ScanSweep } from '../jobs/scan-sweep.ts'
import { Scrub, type ScrubReport } from '../jobs/scrub.ts'
import { SigningJob, SigningJobs } from '../jobs/signing.ts'
import { systemClock } from '../lib/clock.ts'
import { Gate } from '../lib/gate.ts'
import { AccessExplanations } from '../services/access/access-explanations.ts'
import type { AdvisoryReport } from '../services/advisories/advisories.ts'
import { AdvisoryBundles } from '../services/advisories/advisory-bundles.ts'
import { LifecycleEvaluation } from '../services/lifecycle/lifecycle-evaluation.ts'
import { LifecycleExecution } from '../services/lifecycle/lifecycle-execution.ts'
import type { CostReport } from '../services/repositories/costs.ts'
import { ImageSigner } from '../services/signing/image-signer.ts'
import { type ProfileCertificate, SigningProfiles } from '../services/signing/signing-profiles.ts'
import type { ImportChoice, ImportProgress, ImportReport } from '../stores/advisories.ts'
import type { AdvisoryPush } from '../stores/advisory-pushes.ts'
import type { AuditReport } from '../stores/audit.ts'
import { createBackups } from './backup.ts'
import type { BackupOrder, StreamedBackup } from './backup-runs.ts'
import { createEventJobs } from './event-jobs.ts'
import type { Foundation } from './foundation.ts'
import { createReplicationJobs } from './replication.ts'
import type { Bells, Services } from './services.ts'

/** What goes on beside requests. */
export interface Jobs {
  readonly byOperator: OperatorJobs
  readonly bells: Bells
  readonly runs: JobRuns
  readonly eventDeliveries: DeliveryCounts
  /** Begins what is scheduled. */
  start(): void
  /** The virtual clock was moved: does what has become due, and answers when it is done. */
  catchUp(): Promise<void>
  /** Breaks off what is under way, and waits for it. */
  close(): Promise<void>
}

/** What an operator may ask for at any moment. */
export interface OperatorJobs {
  /** Blobs and bytes on record. */
  totals(): Promise<{ readonly blobCount: number; readonly sizeBytes: number }>
  collectGarbage(isDryRun: boolean): Promise<GcReport>
  scrub(isDryRun: boolean): Promise<ScrubReport>
  /** Everything, into a directory or an archive that this process sees. */
  backUp(order: BackupOrder): Promise<BackupReport>
  /** The same as an archive, read as it is made. */
  streamBackup(request: BackupRequest): Promise<StreamedBackup>
  /** What the storage of repositories costs. */
  costs(): Promise<CostReport>
  /** Executes lifecycle policies now. */
  runLifecycle(target: RepositoryRef | 'all'): Promise<LifecycleReport>
  /** What a repository's lifecycle policy would do now. */
  forecastLifecycle(ref: RepositoryRef): Promise<LifecycleForecast>
  advisoryStatus(): Promise<AdvisoryReport & { readonly pushes: readonly AdvisoryPush[] }>
  /** Imports what is at a place that this process sees. */
  importAdvisories(
    from: string,
    choice: ImportChoice,
    onProgress?: (progress: ImportProgress) => void,
  ): Promise<ImportReport>
  /** Imports what has changed at the configured source. */
  fetchAdvisories(onProgress?: (progress: ImportProgress) => void): Promise<ImportReport>
  /** By which the signatures of a signing profile can be verified. */
  signingCertificate(profileArn: string): Promise<ProfileCertificate>
  /** Whether anything was done to the audit log. */
  verifyAudit(): Promise<AuditReport>
  /** Why somebody may do something, or not. */
  explainAccess(question: AccessQuestion): Promise<AccessReport>
}

/** Whose leases are. The lock of the data directory lets one process in at a time: the successor of one that died is the same holder. */
const HOLDER = 'data directory'

const HOUR_MS = 3_600_000
/** How many bundles of advisories that were pushed stand in their status. */
const PUSHES_SHOWN = 5

/** Makes the jobs of a registry; nothing runs before `start` but what is asked for. */
export function createJobs(foundation: Foundation, services: Services): Jobs {
  const { config, logger, clock, metadata, blobs } = foundation
  const closing = new AbortController()
  const runs = new JobRuns(foundation.realClock)
  const deletion = new Gate()
  const gcSettings = { graceMs: config.gcGraceMs, uploadExpiryMs: config.uploadExpiryMs }
  const gc = new GarbageCollector({ metadata, blobs, uploads: services.uploads, clock, deletion }, gcSettings)
  const backups = createBackups(foundation, deletion, closing.signal)
  const gcRunner = new JobRunner(gc, logger, runs)
  const scrub = new Scrub(metadata, blobs, clock)
  const scrubRunner = new JobRunner(scrub, logger, runs)
  const lifecycle = createLifecycleJobs(foundation, services, runs)
  // Whatever time the registry's own clock tells, signatures are judged by the real one.
  const profiles = new SigningProfiles(metadata, systemClock)
  const signer = new ImageSigner(profiles, services.uploads, services.images, systemClock)
  const signing = new SigningJobs(new SigningJob(metadata, signer, foundation.realClock, logger, HOLDER), logger, runs)
  const replication = createReplicationJobs(foundation, services, HOLDER, runs)
  const { advisories } = services
  const bundles = new AdvisoryBundles(services.images, services.layers, advisories)
  const advisoryFetches = new JobRunner(new AdvisoryFetch(advisories), logger, runs)
  const scans = createScanJobs(foundation, services, runs)
  const advisoryImports = new AdvisoryImportJobs(
    new AdvisoryImports(metadata, bundles, logger, {
      ...{ clock, leaseClock: foundation.realClock, holder: HOLDER },
      onImported: () => scans.look(),
    }),
    logger,
    runs,
  )
  const keys = new KeysJobs({
    metadata,
    lifetimes: services.keyLifetimes,
    secrets: services.secrets,
    leaseClock: foundation.realClock,
    logger,
    holder: HOLDER,
    runs,
  })
  const events = createEventJobs(foundation, services, runs)
  const alarms = new AlarmJobs(new AlarmJob(metadata, services.metricData, clock), logger, runs)
  const metricUpkeep = new JobRunner(new MetricUpkeep(metadata, clock), logger, runs)
  const explanations = new AccessExplanations(metadata, services.access, clock, config.defaultRegistry.region)
  return {
    byOperator: {
      totals: () => metadata.view.blobs.totals(),
      collectGarbage: (isDryRun) => (isDryRun ? gc.dryRun() : gcRunner.runNow()),
      scrub: (isDryRun) => (isDryRun ? scrub.dryRun(closing.signal) : scrubRunner.runNow()),
      backUp: (order) => backups.run(order),
      streamBackup: (request) => backups.stream(request),
      costs: () => lifecycleCosts(foundation, services, closing.signal),
      runLifecycle: (target) => lifecycle.run(target),
      forecastLifecycle: (ref) => lifecycle.forecast(ref),
      advisoryStatus: async () => ({
        ...(await advisories.status()),
        pushes: await metadata.view.advisoryPushes.listNewest(PUSHES_SHOWN),
      }),
      importAdvisories: (from, choice, onProgress) =>
        (from.startsWith(BUNDLE)
          ? importBundle(bundles, from.slice(BUNDLE.length), config, onProgress)
          : advisories.import({ from, ...choice }, onProgress)
        ).finally(() => scans.look()),
      fetchAdvisories: (onProgress) => advisories.fetch(onProgress).finally(() => scans.look()),
      signingCertificate: (profileArn) => profiles.certificateOf(profileArn),
      verifyAudit: () => verifyAudit(foundation),
      explainAccess: (question) => explanations.explain(question),
    },
    runs,
    eventDeliveries: events.delivery.counts,
    bells: {
      previewAsked: () => lifecycle.lookForPreviews(),
      signingAsked: () => signing.look(),
      scanAsked: () => scans.look(),
      advisoriesPushed: () => advisoryImports.look(),
      eventRulesChanged: () => events.delivery.look(),
      replicationAsked: () => replication.look(),
    },
    start() {
      gcRunner.start(config.gcIntervalMs)
      lifecycle.start()
      keys.start()
      alarms.start()
      metricUpkeep.start(HOUR_MS)
      signing.start()
      scans.start()
      advisoryImports.start()
      events.start()
      replication.start()
      if (config.advisories.source !== undefined) advisoryFetches.start(config.advisories.intervalMs)
    },
    async catchUp() {
      await keys.runNow()
      await metricUpkeep.runNow()
      await alarms.runNow()
      await lifecycle.catchUp()
      await advisoryImports.importNow()
      await scans.scanNow()
      await replication.replicateNow()
      await events.catchUp()
    },
    async close() {
      closing.abort(new Error('The registry is shutting down.'))
      await backups.ended()
      await services.pullThrough.close()
      await keys.close()
      await alarms.close()
      await metricUpkeep.close()
      await lifecycle.close()
      await signing.close()
      await advisoryImports.close()
      await scans.close()
      await replication.close()
      await events.close()
      await gcRunner.close()
      await scrubRunner.close()
      await foundation.advisories.close()
      await advisoryFetches.close()
    },
  }
}

function createScanJobs(foundation: Foundation, services: Services, runs: JobRuns): ScanJobs {
  const { config, logger, clock, realClock, metadata } = foundation
  const { imageScanner: scanner, matching, rematching } = services
  const { scanDurations: durations } = config
  const rematch = new ScanRematch(
    { metadata, rematching, matching, scanner, kept: services.keptFindings, clock },
    durations,
  )
  const sealing = new ScanSealing(metadata, services.keptFindings, rematching)
  const parts = {
    scanner,
    sweep: new ScanSweep(metadata, clock),
    rematch,
    sealing,
    renewal: new ScanRenewal(metadata, scanner, clock, durations),
  }
  const settings = { clock, leaseClock: realClock, holder: HOLDER }
  return new ScanJobs(new ScanJob(metadata, parts, logger, settings), logger, runs)
}

async function lifecycleCosts(
  { config, metadata, clock }: Foundation,
  { pulls, activations, storageAccounts }: Services,
  signal: AbortSignal,
): Promise<CostReport> {
  const { Costs } = await import('../services/repositories/costs.ts')
  const evaluation = new LifecycleEvaluation(metadata, pulls, activations, clock)
  const pace = new Pace(signal)
  return new Costs(metadata, storageAccounts, evaluation, config.pricePerGbMonth).report(() => pace.rest())
}

async function verifyAudit({ auditLog, metadata }: Foundation): Promise<AuditReport> {
  if (auditLog === undefined) throw invalidParameter('ECRU_AUDIT', 'Nothing is written down here: ECRU_AUDIT is off')
  return auditLog.verify(await metadata.view.auditHeads.find())
}

/** An artifact of the default registry is meant, `oci:<repository>:<tag>`. */
const BUNDLE = 'oci:'

/** Operators act for the owner of the registry. */
async function importBundle(
  bundles: AdvisoryBundles,
  name: string,
  { defaultRegistry }: Config,
  onProgress?: (progress: ImportProgress) => void,
): Promise<ImportReport> {
  const { registryId } = defaultRegistry
  const colon = name.lastIndexOf(':')
  const [repository, tag] = colon < 0 ? [name, 'latest'] : [name.slice(0, colon), name.slice(colon + 1)]
  const ref = { registry: defaultRegistry, name: parseRepositoryName(repository) }
  const owner = rootPrincipal(registryId, `arn:aws:iam::${registryId}:root`, '')
  return await bundles.importBundle(owner, ref, { tag: parseTag(tag) }, onProgress)
}

function createLifecycleJobs(
  foundation: Foundation,
  { pulls, activations, deletionReplication }: Services,
  runs: JobRuns,
): LifecycleJobs {
  const { config, logger, clock, realClock, metadata } = foundation
  const evaluation = new LifecycleEvaluation(metadata, pulls, activations, clock)
  const execution = new LifecycleExecution(metadata, clock, deletionReplication)
  return new LifecycleJobs(
    { metadata, evaluation, execution, clock, logger },
    {
      holder: HOLDER,
      intervalMs: config.lifecycleIntervalMs,
      leaseClock: realClock,
      audit: foundation.audit,
      runs,
    },
  )
}
