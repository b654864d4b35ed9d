import { createEventServices } from '../../src/app/event-services.ts'
import { createKeyServices } from '../../src/app/key-services.ts'
import { createPullThrough, type UpstreamSettings, upstreamConnections } from '../../src/app/pull-through.ts'
import { NO_TRAIL, type ServiceEvent } from '../../src/domain/audit/api-call.ts'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import type { DestinationTable } from '../../src/domain/eventbridge/destination.ts'
import {
  parseRegion,
  parseRegistryId,
  parseRepositoryName,
  parseTag,
  type RepositoryRef,
} from '../../src/domain/names.ts'
import { rootPrincipal } from '../../src/domain/principal.ts'
import { GENEROUS_QUOTAS, type Quotas } from '../../src/domain/quotas.ts'
import { type Rates, UNLIMITED_RATES } from '../../src/domain/rates.ts'
import type { ReplicatedDeletions } from '../../src/domain/replication/deletions.ts'
import type { ScanDurations } from '../../src/domain/scanning/status.ts'
import { GarbageCollector } from '../../src/jobs/gc.ts'
import { LifecycleJobs } from '../../src/jobs/lifecycle-jobs.ts'
import { ReplicationJob } from '../../src/jobs/replication.ts'
import { ReplicationJobs } from '../../src/jobs/replication-jobs.ts'
import { ScanJob, ScanJobs } from '../../src/jobs/scan.ts'
import { ScanRematch } from '../../src/jobs/scan-rematch.ts'
import { ScanRenewal } from '../../src/jobs/scan-renewal.ts'
import { ScanSealing } from '../../src/jobs/scan-sealing.ts'
import { ScanSweep } from '../../src/jobs/scan-sweep.ts'
import { Scrub } from '../../src/jobs/scrub.ts'
import { SigningJob, SigningJobs } from '../../src/jobs/signing.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { Access, type AccessSettings } from '../../src/services/access/access.ts'
import { Policies } from '../../src/services/access/policies.ts'
import { AccountSettings } from '../../src/services/account-settings.ts'
import { AdvisoryPushes } from '../../src/services/advisories/advisory-pushes.ts'
import { Matching } from '../../src/services/advisories/matching.ts'
import { Rematching } from '../../src/services/advisories/rematching.ts'
import { Callers } from '../../src/services/credentials/callers.ts'
import { Logins } from '../../src/services/credentials/logins.ts'
import { RobotTokens } from '../../src/services/credentials/robot-tokens.ts'
import { Sessions } from '../../src/services/credentials/sessions.ts'
import { TokenKeys } from '../../src/services/credentials/token-keys.ts'
import { TOKEN_LIFETIME_MS, Tokens } from '../../src/services/credentials/tokens.ts'
import { Keyring } from '../../src/services/encryption/keyring.ts'
import { Vaults } from '../../src/services/encryption/vaults.ts'
import { policyTextsOf } from '../../src/services/iam/policy-texts.ts'
import { Activations } from '../../src/services/images/activations.ts'
import { Admission, type RefusedPull } from '../../src/services/images/admission.ts'
import { AdmissionRules } from '../../src/services/images/admission-rules.ts'
import { DownloadTickets } from '../../src/services/images/download-urls.ts'
import { ImageBatches } from '../../src/services/images/image-batches.ts'
import { ImageContents } from '../../src/services/images/image-contents.ts'
import { ImageDeletion } from '../../src/services/images/image-deletion.ts'
import { ImageLists } from '../../src/services/images/image-lists.ts'
import { Images } from '../../src/services/images/images.ts'
import { Layers } from '../../src/services/images/layers.ts'
import { PullTimeExclusions } from '../../src/services/images/pull-time-exclusions.ts'
import { PullTimes } from '../../src/services/images/pulls.ts'
import { StorageClasses } from '../../src/services/images/storage-classes.ts'
import { Uploads } from '../../src/services/images/uploads.ts'
import { Lifecycle } from '../../src/services/lifecycle/lifecycle.ts'
import { LifecycleEvaluation } from '../../src/services/lifecycle/lifecycle-evaluation.ts'
import { LifecycleExecution } from '../../src/services/lifecycle/lifecycle-execution.ts'
import type { MirrorSettings } from '../../src/services/pull-through/mirrors.ts'
import { DeletionReplication } from '../../src/services/replication/deletion-replication.ts'
import { LocalReplication } from '../../src/services/replication/local-replication.ts'
import { PushReplication } from '../../src/services/replication/push-replication.ts'
import { ReplicaDeletion } from '../../src/services/replication/replica-deletion.ts'
import { Replication } from '../../src/services/replication/replication.ts'
import { ReplicationCommands } from '../../src/services/replication/replication-commands.ts'
import { CreationTemplates } from '../../src/services/repositories/creation-templates.ts'
import { PublicPullQuota } from '../../src/services/repositories/public-pull-quota.ts'
import { PublicRegistries } from '../../src/services/repositories/public-registries.ts'
import { PushTargets } from '../../src/services/repositories/push-targets.ts'
import { Repositories } from '../../src/services/repositories/repositories.ts'
import { BuiltInEngine } from '../../src/services/scanning/built-in-engine.ts'
import { FindingEvents } from '../../src/services/scanning/finding-events.ts'
import { FindingStreams } from '../../src/services/scanning/finding-streams.ts'
import { FindingsReports } from '../../src/services/scanning/findings-reports.ts'
import { ImageScanner } from '../../src/services/scanning/image-scanner.ts'
import { ImageScans } from '../../src/services/scanning/image-scans.ts'
import { Inspector } from '../../src/services/scanning/inspector.ts'
import { Inventories } from '../../src/services/scanning/inventories.ts'
import { KeptFindings } from '../../src/services/scanning/kept-findings.ts'
import { PushScanning } from '../../src/services/scanning/push-scanning.ts'
import { ScanConfigurations } from '../../src/services/scanning/scan-configurations.ts'
import type { ScanEngine } from '../../src/services/scanning/scan-engine.ts'
import { ScanFindings } from '../../src/services/scanning/scan-findings.ts'
import { SortedFindings } from '../../src/services/scanning/sorted-findings.ts'
import { SuppressionRules } from '../../src/services/scanning/suppression-rules.ts'
import { VexDocuments } from '../../src/services/scanning/vex-documents.ts'
import { ImageSigner } from '../../src/services/signing/image-signer.ts'
import { PushSigning } from '../../src/services/signing/push-signing.ts'
import { Signing } from '../../src/services/signing/signing.ts'
import { SigningProfiles } from '../../src/services/signing/signing-profiles.ts'
import { Throttle } from '../../src/services/throttle.ts'
import { SqliteAdvisoryStore } from '../../src/stores/advisories/sqlite.ts'
import { MemoryBlobStore } from '../../src/stores/blobs/memory.ts'
import { SealedBlobStore } from '../../src/stores/blobs/sealed.ts'
import type { BlobDriver } from '../../src/stores/blobs.ts'
import { openMemoryMetadata } from '../../src/stores/metadata/sqlite.ts'
import { AnalysisWorkers } from '../../src/workers/analysis-workers.ts'
import { FakeClock } from './fake-clock.ts'
import { sha256 } from './image-builder.ts'
import { testMasterKey } from './test-master-key.ts'

export const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
export const admin = rootPrincipal(registry.registryId, 'arn:aws:iam::123456789012:root', 'AKIATEST')
export const stranger = rootPrincipal(parseRegistryId('999999999999'), 'arn:aws:iam::999999999999:root', 'AKIASTRANGER')

/** How old advisories may be. */
export const ADVISORY_AGE_MS = 7 * 24 * 3_600_000
const ANALYSIS_WORKER = new URL('../../src/workers/analysis-worker.ts', import.meta.url).href

export const ACTIVATION_MS = 60_000
export const LIFECYCLE_INTERVAL_MS = 3_600_000
export const REPLICATION_PATIENCE_MS = 24 * 3_600_000
export const GRACE_MS = 3_600_000
export const UPLOAD_EXPIRY_MS = 24 * 3_600_000

export function refTo(name: string): RepositoryRef {
  return { registry, name: parseRepositoryName(name) }
}

export interface ServiceOptions {
  readonly quotas?: Quotas
  readonly rates?: Rates
  /** Those of public registries; without them the same hold there. */
  readonly publicQuotas?: Quotas
  readonly publicRates?: Rates
  readonly isMountOpen?: boolean
  readonly areLayersWanted?: boolean
  /** Where rules may send events to. */
  readonly eventDestinations?: DestinationTable
  readonly isEveryPushWelcome?: boolean
  /** Without them, all tags are copied to other registries. */
  readonly replicatedTags?: readonly string[]
  readonly replicatedDeletions?: ReplicatedDeletions
  /** Without it, blobs live in memory. */
  readonly driver?: BlobDriver
  /** Whether AES256 repositories are encrypted. */
  readonly isEncryptionOn?: boolean
  /** Without it, there are none until some are imported. */
  readonly advisories?: SqliteAdvisoryStore
  readonly scanDurations?: ScanDurations
  /** Where a push of advisories is their import. */
  readonly advisoryRepository?: RepositoryRef
  /** What scans, made of the registry's own engine. */
  readonly scanEngine?: (builtIn: ScanEngine) => ScanEngine
  /** How other registries are asked; without it, those on loopback are. */
  readonly upstreams?: UpstreamSettings
  readonly acceptsAnyUpstream?: boolean
  readonly mirrors?: Partial<MirrorSettings>
  /** Identities may do what their policies say; without it, whoever belongs to an account is its administrator. */
  readonly access?: Partial<AccessSettings>
}

const LOCAL_UPSTREAMS: UpstreamSettings = {
  allowsPrivateAddresses: true,
  allowsHttp: true,
  caFile: undefined,
  endpoints: new Map(),
}

/** All services over stores in memory, with a clock that stands still. */
export async function createServices(options: ServiceOptions = {}) {
  const { quotas = GENEROUS_QUOTAS, rates = UNLIMITED_RATES, isMountOpen = true, isEveryPushWelcome = false } = options
  const { publicQuotas = quotas, publicRates = rates } = options
  const clock = new FakeClock()
  const metadata = await openMemoryMetadata(testMasterKey)
  const keyring = new Keyring(metadata, randomIds)
  const blobs = new SealedBlobStore(options.driver ?? new MemoryBlobStore({ clock }), keyring)
  const throttle = new Throttle(rates, clock, publicRates)
  const callers = new Callers(metadata, registry, clock)
  const tokenKeys = new TokenKeys(metadata, clock, randomIds, TOKEN_LIFETIME_MS)
  const robotTokens = new RobotTokens(metadata, clock, randomIds)
  const access = new Access(metadata, clock, throttle, {
    mode: 'enforce',
    ...(options.access && { identityPoliciesOf: (principal) => policyTextsOf(metadata, principal), ...options.access }),
  })
  const keyServices = createKeyServices({ metadata, clock, ids: randomIds }, access)
  const { repositoryKeys, repositoryGrants } = keyServices
  const vaults = new Vaults(keyring, repositoryGrants, options.isEncryptionOn ?? false)
  const repositories = new Repositories({ metadata, access, keys: repositoryKeys, clock }, { quotas, publicQuotas })
  const pulls = new PullTimes(metadata, clock, () => undefined)
  const tokens = new Tokens(
    { metadata, callers, robots: robotTokens, keys: tokenKeys, clock, ids: randomIds },
    { acceptsUnknownKeys: true },
  )
  const tickets = new DownloadTickets(metadata, clock, randomIds)
  const activations = new Activations(metadata, clock)
  const uploads = new Uploads({ metadata, blobs, vaults, access, clock, ids: randomIds }, { quotas, publicQuotas })
  const evaluation = new LifecycleEvaluation(metadata, pulls, activations, clock)
  const { replicatedDeletions = 'off' } = options
  const deletionReplication = new DeletionReplication(clock, replicatedDeletions, () => replicationJobs.look())
  const execution = new LifecycleExecution(metadata, clock, deletionReplication)
  const lifecycleSettings = { holder: 'test', intervalMs: LIFECYCLE_INTERVAL_MS }
  const lifecycleJobs = new LifecycleJobs(
    { metadata, evaluation, execution, clock, logger: silentLogger },
    lifecycleSettings,
  )
  const lifecycle = new Lifecycle(metadata, access, clock, randomIds, () => lifecycleJobs.lookForPreviews())
  const pushScanning = new PushScanning(clock, quotas, () => scanJobs.look())
  const advisories = options.advisories ?? SqliteAdvisoryStore.inMemory()
  const analyser = new AnalysisWorkers({ workerUrl: ANALYSIS_WORKER })
  const inventories = new Inventories(metadata, analyser, clock, vaults)
  const matching = new Matching(advisories, clock, { ageMsMax: ADVISORY_AGE_MS })
  const rematching = new Rematching(metadata, advisories, vaults)
  const scanEngine =
    options.scanEngine?.(new BuiltInEngine(inventories, matching)) ?? new BuiltInEngine(inventories, matching)
  const scanConfigurations = new ScanConfigurations(metadata, access, clock, () => scanJobs.look())
  const pushSigning = new PushSigning(() => signingJobs.look())
  const unusableVex: string[] = []
  const contents = new ImageContents(metadata, blobs, vaults, inventories)
  const vex = new VexDocuments(metadata, contents, {
    nameOf: ({ name }) => `registry.example.com/${name}`,
    report: ({ reason }) => void unusableVex.push(reason),
  })
  const { scanDurations = { sincePushMs: undefined, sincePullMs: 0 } } = options
  const kept = new KeptFindings(vaults)
  const streams = new FindingStreams(kept, vex, clock)
  const scanner = new ImageScanner({
    metadata,
    blobs,
    vaults,
    engine: scanEngine,
    rematching,
    kept,
    events: new FindingEvents(metadata, vex, clock),
    clock,
  })
  const rematch = new ScanRematch({ metadata, rematching, matching, scanner, kept, clock }, scanDurations)
  const scanSettings = { clock, leaseClock: clock, holder: 'test' }
  const scanParts = {
    scanner,
    sweep: new ScanSweep(metadata, clock),
    rematch,
    sealing: new ScanSealing(metadata, kept, rematching),
    renewal: new ScanRenewal(metadata, scanner, clock, scanDurations),
  }
  const scanJob = new ScanJob(metadata, scanParts, silentLogger, scanSettings)
  const scanJobs = new ScanJobs(scanJob, silentLogger)
  const scanFindings = new ScanFindings({ metadata, vaults, access, matching, streams, pulls, clock }, scanDurations)
  const inspector = new Inspector({
    metadata,
    access,
    scanFindings,
    streams,
    configurations: scanConfigurations,
    pulls,
  })
  const refusedPulls: RefusedPull[] = []
  const admission = new Admission(
    { metadata, vaults, findings: streams, matching, clock },
    {
      durations: scanDurations,
      onRefused: (pull) => void refusedPulls.push(pull),
    },
  )
  const pushReplication = new PushReplication(clock, () => replicationJobs.look(), options.replicatedTags)
  const images = new Images(
    { metadata, vaults, access, clock, pulls, admission },
    {
      signing: pushSigning,
      scanning: pushScanning,
      replication: pushReplication,
      advisories: new AdvisoryPushes(options.advisoryRepository, access, clock, () => undefined),
    },
    { quotas, publicQuotas, areLayersWanted: options.areLayersWanted ?? false },
  )
  const pushTargets = new PushTargets(
    { metadata, access, repositories, keys: repositoryKeys, lifecycle },
    { isEveryPushWelcome },
  )
  const reports: unknown[] = []
  const serviceEvents: ServiceEvent[] = []
  const pullThroughServices = createPullThrough({
    ...{ metadata, blobs, vaults, access, images, pushTargets, clock, quotas },
    audit: { ...NO_TRAIL, recordServiceEvent: (event) => serviceEvents.push(event) },
    secretValues: keyServices.secretValues,
    connections: upstreamConnections(options.upstreams ?? LOCAL_UPSTREAMS, clock),
    acceptsAnyUpstream: options.acceptsAnyUpstream ?? true,
    mirrors: {
      hubHosts: new Set(),
      userName: undefined,
      isOwnHost: () => false,
      ...options.mirrors,
      defaultRegistry: registry,
    },
    report: (error) => reports.push(error),
  })
  const signingProfiles = new SigningProfiles(metadata, clock)
  const signer = new ImageSigner(signingProfiles, uploads, images, clock)
  const signingJobs = new SigningJobs(new SigningJob(metadata, signer, clock, silentLogger, 'test'), silentLogger)
  const replicaDeletion = new ReplicaDeletion(metadata, access, clock)
  const localReplication = new LocalReplication({
    metadata,
    blobs,
    vaults,
    access,
    pushTargets,
    images,
    replicas: replicaDeletion,
    clock,
  })
  const replicationSettings = { holder: 'test', patienceMs: REPLICATION_PATIENCE_MS, deletions: replicatedDeletions }
  const replicationJobs = new ReplicationJobs(
    new ReplicationJob(
      { metadata, routeTo: () => localReplication, isHere: () => true, clock, logger: silentLogger },
      replicationSettings,
    ),
    silentLogger,
  )
  return {
    ...keyServices,
    ...createEventServices({ metadata, clock }, access, options.eventDestinations ?? new Map(), () => undefined),
    clock,
    metadata,
    blobs,
    vaults,
    keyring,
    uploads,
    access,
    throttle,
    publicRegistries: new PublicRegistries(metadata, access, repositories, randomIds),
    publicPullQuota: new PublicPullQuota(metadata, clock, publicQuotas.anonymousPullBytesPerMonth),
    pulls,
    accountSettings: new AccountSettings(metadata, access),
    pullTimeExclusions: new PullTimeExclusions(metadata, access, clock, pulls),
    advisories,
    imageScans: new ImageScans({ metadata, vaults, access, clock, onRequested: () => scanJobs.look() }, quotas),
    inventories,
    matching,
    pushScanning,
    keptFindings: kept,
    rematching,
    scanConfigurations,
    scanJob,
    scanJobs,
    /** As after a restart. */
    newScanJobs: () => {
      const parts = { ...scanParts, sealing: new ScanSealing(metadata, kept, rematching) }
      return new ScanJobs(new ScanJob(metadata, parts, silentLogger, scanSettings), silentLogger)
    },
    scanFindings,
    admission,
    refusedPulls,
    contents,
    unusableVex,
    scanCommandServices: {
      admissionRules: new AdmissionRules(metadata, clock),
      findingsReports: new FindingsReports(scanFindings),
      suppressionRules: new SuppressionRules(metadata, clock, randomIds),
    },
    inspector,
    sortedFindings: new SortedFindings(inspector),
    storageClasses: new StorageClasses(
      { metadata, access, activations, scanning: pushScanning, replication: pushReplication, clock },
      { activationMs: ACTIVATION_MS },
    ),
    lifecycle,
    lifecycleJobs,
    policies: new Policies(metadata, access),
    callers,
    tokenKeys,
    robotTokens,
    sessions: new Sessions(metadata, clock, randomIds),
    tokens,
    logins: new Logins(access, tokens),
    replication: new Replication(metadata, access),
    replicationJobs,
    replicationCommands: new ReplicationCommands(metadata, pushReplication, registry, clock),
    repositories,
    creationTemplates: new CreationTemplates(metadata, access, clock),
    pushTargets,
    ...pullThroughServices,
    /** What went wrong on our side while images were brought. */
    importReports: reports,
    serviceEvents,
    layers: new Layers({ metadata, blobs, vaults, access, tickets, activations, admission, clock }, { isMountOpen }),
    images,
    signing: new Signing(metadata, access),
    signingProfiles,
    signingJobs,
    imageLists: new ImageLists(metadata, vaults, access, pulls, activations),
    imageBatches: new ImageBatches({ metadata, vaults, access, pulls, admission, clock }),
    imageDeletion: new ImageDeletion(metadata, access, clock, deletionReplication),
    replicaDeletion,
    gc: new GarbageCollector(
      { metadata, blobs, uploads, clock },
      { graceMs: GRACE_MS, uploadExpiryMs: UPLOAD_EXPIRY_MS },
    ),
    scrub: new Scrub(metadata, blobs, clock),
    close: async () => {
      await pullThroughServices.pullThrough.close()
      await lifecycleJobs.close()
      await signingJobs.close()
      await scanJobs.close()
      analyser.close()
      if (options.advisories === undefined) await advisories.close()
      await replicationJobs.close()
      await metadata.close()
    },
  }
}

export type Services = Awaited<ReturnType<typeof createServices>>

export async function* chunks(...parts: readonly (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield typeof part === 'string' ? new TextEncoder().encode(part) : part
}

/** Uploads one layer whole and answers its digest. */
export async function pushLayer({ uploads }: Services, ref: RepositoryRef, content: string): Promise<Digest> {
  const digest = parseDigest(sha256(content))
  const id = await uploads.start(admin, ref)
  await uploads.complete(admin, ref, id, digest, { place: { earlierPartBytesMin: 0 }, body: chunks(content) })
  return digest
}

export const OCI_MANIFEST = 'application/vnd.oci.image.manifest.v1+json'
export const OCI_INDEX = 'application/vnd.oci.image.index.v1+json'

/** An image manifest over a config and one layer that both hold `content`-derived bytes. */
export function manifestOf(config: Digest, layers: readonly Digest[], extra: object = {}): Uint8Array {
  const layer = (digest: Digest) => ({ mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip', digest, size: 5 })
  return encode({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 3 },
    layers: layers.map(layer),
    ...extra,
  })
}

export function indexOf(children: readonly Digest[]): Uint8Array {
  return encode({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: children.map((digest) => ({ mediaType: OCI_MANIFEST, digest, size: 5 })),
  })
}

/** Pushes layers and manifest of a small image; the same content gives the same digest. */
export async function pushImage(
  services: Services,
  ref: RepositoryRef,
  content: string,
  ...tags: string[]
): Promise<Digest> {
  const config = await pushLayer(services, ref, `config of ${content}`)
  const layer = await pushLayer(services, ref, `layer of ${content}`)
  const manifest = manifestOf(config, [layer])
  const { image } = await services.images.push(admin, ref, { manifest, tags: tags.map(parseTag) })
  return image.digest
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document))
}
