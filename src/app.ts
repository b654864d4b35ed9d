import { join } from 'node:path'
import { type Config, registryHostFor } from './config/config.ts'
import { VERSION } from './config/version.ts'
import type { RepositoryRef } from './domain/names.ts'
import { GarbageCollector, type GcReport } from './jobs/gc.ts'
import type { LifecycleReport } from './jobs/lifecycle.ts'
import { type LifecycleForecast, LifecycleJobs } from './jobs/lifecycle-jobs.ts'
import { JobRunner } from './jobs/runner.ts'
import { Scrub, type ScrubReport } from './jobs/scrub.ts'
import { type Clock, systemClock } from './lib/clock.ts'
import { type Ids, randomIds } from './lib/ids.ts'
import type { Logger } from './lib/logger.ts'
import { createJsonRpc } from './protocols/aws/json-rpc.ts'
import { createQuery } from './protocols/aws/query.ts'
import { Addresses } from './protocols/ecr/addresses.ts'
import { ecrService } from './protocols/ecr/operations.ts'
import { ecrPublicService } from './protocols/ecr-public/operations.ts'
import { PublicAddresses } from './protocols/ecr-public/public-addresses.ts'
import type { Handler } from './protocols/http/context.ts'
import { besidePublic } from './protocols/http/public-router.ts'
import { createRouter } from './protocols/http/router.ts'
import { createLayerDownloads } from './protocols/oci/downloads.ts'
import { createLogos } from './protocols/oci/logos.ts'
import { createPublicOci } from './protocols/oci/public-routes.ts'
import { createPublicToken } from './protocols/oci/public-token.ts'
import { createOci } from './protocols/oci/routes.ts'
import { createOperatorPlane } from './protocols/operator/routes.ts'
import { stsService } from './protocols/sts/operations.ts'
import { Access } from './services/access.ts'
import { AccountSettings } from './services/account-settings.ts'
import { Activations } from './services/activations.ts'
import { Callers, type RootKey } from './services/callers.ts'
import { CreationTemplates } from './services/creation-templates.ts'
import { DownloadTickets } from './services/download-urls.ts'
import { ImageBatches } from './services/image-batches.ts'
import { ImageDeletion } from './services/image-deletion.ts'
import { ImageLists } from './services/image-lists.ts'
import { Images } from './services/images.ts'
import { Layers } from './services/layers.ts'
import { Lifecycle } from './services/lifecycle.ts'
import { LifecycleEvaluation } from './services/lifecycle-evaluation.ts'
import { LifecycleExecution } from './services/lifecycle-execution.ts'
import { Policies } from './services/policies.ts'
import { PublicRegistries } from './services/public-registries.ts'
import { PullTimeExclusions } from './services/pull-time-exclusions.ts'
import { PullTimes } from './services/pulls.ts'
import { PushTargets } from './services/push-targets.ts'
import { Repositories } from './services/repositories.ts'
import { StorageClasses } from './services/storage-classes.ts'
import { Throttle } from './services/throttle.ts'
import { Tokens } from './services/tokens.ts'
import { Uploads } from './services/uploads.ts'
import { CheckedBlobStore } from './stores/blobs/checked.ts'
import { FilesystemBlobStore } from './stores/blobs/filesystem.ts'
import { MemoryBlobStore } from './stores/blobs/memory.ts'
import type { BlobStore } from './stores/blobs.ts'
import { openMemoryMetadata, openSqliteMetadata } from './stores/metadata/sqlite.ts'
import type { MetadataStore } from './stores/metadata.ts'

/** Where AWS has its public registries; always served, for those whose DNS says so. */
const PUBLIC_HOSTS = ['public.ecr.aws', 'ecr-public.aws.com']

/** A registry without its socket. */
export interface App {
  /** Answers every request of every plane. */
  readonly handle: Handler
  /** The root key that was made because there was none: to be shown to the operator, once. */
  readonly firstRootKey: RootKey | undefined
  /** Begins what goes on beside requests: scheduled garbage collection. */
  start(): void
  /** Throws when the registry cannot serve. */
  ready(): Promise<void>
  /** Blobs and bytes on record. */
  totals(): Promise<{ readonly blobCount: number; readonly sizeBytes: number }>
  collectGarbage(isDryRun: boolean): Promise<GcReport>
  scrub(isDryRun: boolean): Promise<ScrubReport>
  /** Executes lifecycle policies now. */
  runLifecycle(target: RepositoryRef | 'all'): Promise<LifecycleReport>
  /** What a repository's lifecycle policy would do now. */
  forecastLifecycle(ref: RepositoryRef): Promise<LifecycleForecast>
  /** Ends the jobs and closes the stores. To be called once nothing is in flight. */
  close(): Promise<void>
}

/** What a registry takes from the world beside its configuration. */
export interface Surroundings {
  readonly clock: Clock
  readonly ids: Ids
}

/** Puts a registry together from its configuration. The only place that names concrete stores. */
export async function createApp(
  config: Config,
  logger: Logger,
  { clock, ids }: Surroundings = { clock: systemClock, ids: randomIds },
): Promise<App> {
  const { metadata, blobs } = await openStores(config, clock)
  const { profile, fidelity, quotas, publicQuotas, defaultRegistry, registryHost, publicHost } = config

  const report = (thrown: unknown, requestId: string) =>
    logger.error({ requestId, error: asError(thrown) }, 'request failed')
  const throttle = new Throttle(config.rates, clock, config.publicRates)
  const access = new Access(metadata, clock, throttle)
  const callers = new Callers(metadata, defaultRegistry, clock, ids)
  const pulls = new PullTimes(metadata, clock, (error) => logger.error({ error: asError(error) }, 'pull times lost'))
  const tickets = new DownloadTickets(metadata, clock, ids)
  const tokens = new Tokens(metadata, clock, ids)
  const repositories = new Repositories(metadata, access, clock, quotas, publicQuotas)
  const activations = new Activations(metadata, clock)
  const layers = new Layers(metadata, blobs, access, tickets, activations, clock, fidelity === 'oci')
  const uploads = new Uploads(metadata, blobs, access, clock, ids, quotas, publicQuotas)
  const images = new Images(metadata, access, clock, quotas, pulls, config.acceptsSparseImages, publicQuotas)
  const imageLists = new ImageLists(metadata, access, pulls, activations)
  const imageBatches = new ImageBatches(metadata, access, pulls, clock)
  const imageDeletion = new ImageDeletion(metadata, access, clock)

  const gc = new GarbageCollector(metadata, blobs, uploads, clock, {
    graceMs: config.gcGraceMs,
    uploadExpiryMs: config.uploadExpiryMs,
  })
  const gcRunner = new JobRunner(gc, logger)
  const scrub = new Scrub(metadata, blobs, clock)
  const scrubRunner = new JobRunner(scrub, logger)
  const evaluation = new LifecycleEvaluation(metadata, pulls, activations, clock)
  const execution = new LifecycleExecution(metadata, clock)
  const lifecycleJobs = new LifecycleJobs(metadata, evaluation, execution, clock, logger, {
    // The lock of the data directory lets one process in at a time: the successor of one that died is the same holder.
    holder: 'data directory',
    intervalMs: config.lifecycleIntervalMs,
  })
  const lifecycle = new Lifecycle(metadata, access, clock, ids, () => lifecycleJobs.lookForPreviews())
  const pushTargets = new PushTargets(metadata, access, repositories, lifecycle, config.createsRepositoryOnPush)
  const closing = new AbortController()

  const ready = async () => {
    await metadata.checkReady()
    await blobs.checkReady()
  }
  const addresses = new Addresses(({ registryId, region }) =>
    registryHost === undefined ? undefined : registryHostFor(registryHost, registryId, region),
  )
  const ecr = {
    access,
    accountSettings: new AccountSettings(metadata, access),
    addresses,
    imageBatches,
    imageDeletion,
    imageLists,
    images,
    layers,
    lifecycle,
    creationTemplates: new CreationTemplates(metadata, access, clock),
    policies: new Policies(metadata, access),
    pushTargets,
    pullTimeExclusions: new PullTimeExclusions(metadata, access, clock, pulls),
    repositories,
    storageClasses: new StorageClasses(metadata, access, activations, clock, config.activationMs),
    tokens,
    uploads,
  }
  const publicRegistries = new PublicRegistries(metadata, access, repositories, ids)
  const ecrPublic = { ...ecr, publicRegistries, publicAddresses: new PublicAddresses(publicHost) }
  const setting = { clock, profile, callers, report }
  const oci = {
    settings: { fidelity, layerPartBytesMin: quotas.layerPartBytesMin },
    tokens,
    repositories,
    pushTargets,
    layers,
    uploads,
    images,
    imageLists,
    imageDeletion,
    report,
  }

  const publicPlanes = {
    oci: createPublicOci({ ...oci, publicRegistries, throttle }),
    token: createPublicToken(oci),
    logos: createLogos(publicRegistries),
  }

  const jobs = {
    totals: () => metadata.view.blobs.totals(),
    collectGarbage: (isDryRun: boolean) => (isDryRun ? gc.dryRun() : gcRunner.runNow()),
    scrub: (isDryRun: boolean) => (isDryRun ? scrub.dryRun(closing.signal) : scrubRunner.runNow()),
    runLifecycle: (target: RepositoryRef | 'all') => lifecycleJobs.run(target),
    forecastLifecycle: (ref: RepositoryRef) => lifecycleJobs.forecast(ref),
  }
  return {
    ...jobs,
    firstRootKey: await prepareRootKey(config, callers),
    start: () => {
      gcRunner.start(config.gcIntervalMs)
      lifecycleJobs.start()
    },
    ready,
    handle: besidePublic(
      new Set([publicHost, ...PUBLIC_HOSTS]),
      publicPlanes,
      createRouter({
        oci: createOci(oci),
        layerDownloads: createLayerDownloads(oci),
        awsJson: createJsonRpc([ecrService(ecr), ecrPublicService(ecrPublic)], setting),
        awsQuery: createQuery([stsService()], setting),
        operations: createOperatorPlane({
          facts: { version: VERSION, profile, fidelity, storage: config.storage.kind, startedAt: clock.now() },
          setting,
          logger,
          defaultRegistry,
          ...jobs,
          checkReady: ready,
        }),
      }),
    ),
    async close() {
      closing.abort(new Error('The registry is shutting down.'))
      await lifecycleJobs.close()
      await gcRunner.close()
      await scrubRunner.close()
      await pulls.flush()
      await metadata.close()
      await blobs.close()
    },
  }
}

async function openStores(
  { storage }: Config,
  clock: Clock,
): Promise<{ readonly metadata: MetadataStore; readonly blobs: BlobStore }> {
  if (storage.kind === 'memory')
    return { metadata: await openMemoryMetadata(), blobs: new CheckedBlobStore(new MemoryBlobStore({ clock })) }
  const metadata = await openSqliteMetadata(join(storage.path, 'metadata.db'))
  const blobs = await FilesystemBlobStore.open(storage.path, { clock })
  return { metadata, blobs: new CheckedBlobStore(blobs) }
}

/** The server profile knows no caller without a key, so it always has one. */
async function prepareRootKey({ profile, rootKey }: Config, callers: Callers): Promise<RootKey | undefined> {
  if (rootKey !== undefined) await callers.putRootKey(rootKey)
  else if (profile === 'server') return callers.makeFirstRootKey()
  return undefined
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
