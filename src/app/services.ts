import { readFileSync } from 'node:fs'
import type { IssuerKeys } from '../clients/issuer-keys.ts'
import type { PublicFetchSettings } from '../clients/public-fetch.ts'
import { type Config, registryHostFor } from '../config/config.ts'
import { VERSION } from '../config/version.ts'
import { reasonOf } from '../domain/iam/denial.ts'
import type { RepositoryRef } from '../domain/names.ts'
import type { Clock } from '../lib/clock.ts'
import { Once } from '../lib/once.ts'
import { Access } from '../services/access.ts'
import { AccountSettings } from '../services/account-settings.ts'
import { Activations } from '../services/activations.ts'
import { Administration } from '../services/administration.ts'
import { Admission } from '../services/admission.ts'
import { AdmissionRules } from '../services/admission-rules.ts'
import { Advisories } from '../services/advisories.ts'
import { AlarmServices } from '../services/alarms.ts'
import { Attachments } from '../services/attachments.ts'
import { AuditHistory } from '../services/audit-history.ts'
import { BuiltInEngine } from '../services/built-in-engine.ts'
import { Callers } from '../services/callers.ts'
import { CreationTemplates } from '../services/creation-templates.ts'
import { DownloadTickets } from '../services/download-urls.ts'
import { EventCommands } from '../services/event-commands.ts'
import { FindingsReports } from '../services/findings-reports.ts'
import { policyTextsOf } from '../services/iam/policy-texts.ts'
import { ImageBatches } from '../services/image-batches.ts'
import { ImageContents } from '../services/image-contents.ts'
import { ImageDeletion } from '../services/image-deletion.ts'
import { ImageLists } from '../services/image-lists.ts'
import { ImageScanner } from '../services/image-scanner.ts'
import { ImageScans } from '../services/image-scans.ts'
import { Images } from '../services/images.ts'
import { Inspector } from '../services/inspector.ts'
import { Inventories } from '../services/inventories.ts'
import { KeyAccess } from '../services/key-access.ts'
import { KeyAliases } from '../services/key-aliases.ts'
import { KeyCryptography } from '../services/key-cryptography.ts'
import { KeyGrants } from '../services/key-grants.ts'
import { KeyLifetimes } from '../services/key-lifetimes.ts'
import { KeyPolicies } from '../services/key-policies.ts'
import { KeyUses } from '../services/key-uses.ts'
import { Keys } from '../services/keys.ts'
import type { LayerAnalyser } from '../services/layer-analyser.ts'
import { Layers } from '../services/layers.ts'
import { Lifecycle } from '../services/lifecycle.ts'
import { Logins } from '../services/logins.ts'
import { Matching } from '../services/matching.ts'
import { MetricCounts } from '../services/metric-counts.ts'
import { MetricData } from '../services/metric-data.ts'
import { Policies } from '../services/policies.ts'
import { PublicRegistries } from '../services/public-registries.ts'
import { PullEvents } from '../services/pull-events.ts'
import { PullTimeExclusions } from '../services/pull-time-exclusions.ts'
import { PullTimes } from '../services/pulls.ts'
import { PushScanning } from '../services/push-scanning.ts'
import { PushSigning } from '../services/push-signing.ts'
import { PushTargets } from '../services/push-targets.ts'
import { RefusalSeal } from '../services/refusal-seal.ts'
import { Rematching } from '../services/rematching.ts'
import { Repositories } from '../services/repositories.ts'
import { RepositoryGrants } from '../services/repository-grants.ts'
import { RepositoryKeys } from '../services/repository-keys.ts'
import { RobotTokens } from '../services/robot-tokens.ts'
import { RootKeys } from '../services/root-keys.ts'
import { Sboms } from '../services/sboms.ts'
import { ScanCommands } from '../services/scan-commands.ts'
import { ScanConfigurations } from '../services/scan-configurations.ts'
import type { ScanEngine } from '../services/scan-engine.ts'
import { ScanFindings } from '../services/scan-findings.ts'
import { SecretAccess } from '../services/secret-access.ts'
import { SecretCipher } from '../services/secret-cipher.ts'
import { SecretValues } from '../services/secret-values.ts'
import { Secrets } from '../services/secrets.ts'
import { Sessions } from '../services/sessions.ts'
import { Signing } from '../services/signing.ts'
import { StorageClasses } from '../services/storage-classes.ts'
import { StorageAccounts } from '../services/storage-figures.ts'
import { AuthorizationMessages } from '../services/sts/authorization-messages.ts'
import { RoleSessions } from '../services/sts/role-sessions.ts'
import { UserSessions } from '../services/sts/user-sessions.ts'
import { WebIdentitySessions } from '../services/sts/web-identity-sessions.ts'
import { SuppressionRules } from '../services/suppression-rules.ts'
import { Throttle } from '../services/throttle.ts'
import { TokenKeys } from '../services/token-keys.ts'
import { TOKEN_LIFETIME_MS, Tokens } from '../services/tokens.ts'
import { Traffic } from '../services/traffic.ts'
import { Uploads } from '../services/uploads.ts'
import { Vaults } from '../services/vaults.ts'
import { VexDocuments } from '../services/vex-documents.ts'
import { webhookSecret } from '../services/webhook-secret.ts'
import { createEventServices, eventDestinationsOf } from './event-services.ts'
import { asError, type Foundation } from './foundation.ts'
import { createPullThrough, upstreamConnections } from './pull-through.ts'
import { createReplicationServices } from './replication-services.ts'

/** How services ring for work that jobs do. Asked only once something was committed. */
export interface Bells {
  previewAsked(): void
  replicationAsked(): void
  signingAsked(): void
  scanAsked(): void
  eventRulesChanged(): void
}

export type Services = ReturnType<typeof createServices>

/** Makes the services of a registry, each with what it asks for. */
export function createServices(foundation: Foundation, analyser: LayerAnalyser, bells: Bells) {
  const { config, logger, clock, realClock, ids, metadata, blobs, keyring, auditLog } = foundation
  const { advisories: advisoryStore } = foundation
  const { quotas, publicQuotas } = config
  const throttle = new Throttle(config.rates, clock, config.publicRates)
  const refusalSeal = new RefusalSeal(foundation.sealer, ids)
  const metricCounts = new MetricCounts(metadata, clock, (error) =>
    logger.error({ error: asError(error) }, 'counts for metrics lost'),
  )
  const traffic = new Traffic(config.metrics.repositoriesMax, metricCounts)
  const access = createAccess(foundation, throttle, refusalSeal, traffic)
  const keyUses = new KeyUses(metadata, clock, (error) => logger.error({ error: asError(error) }, 'uses of keys lost'))
  const callers = new Callers(metadata, config.defaultRegistry, clock, keyUses)
  const onPullTimesLost = (error: unknown) => logger.error({ error: asError(error) }, 'pull times lost')
  const onPullEventsLost = (error: unknown) => logger.error({ error: asError(error) }, 'events of pulls lost')
  const pullEvents = config.events.tellsExtensions ? new PullEvents(metadata, clock, onPullEventsLost) : undefined
  const pulls = new PullTimes(metadata, clock, onPullTimesLost, (ref, image, tag) => {
    traffic.pulled(ref)
    pullEvents?.record(ref, image, tag)
  })
  const tickets = new DownloadTickets(metadata, clock, ids)
  const sessions = new Sessions(metadata, clock, ids)
  const issuerKeys = issuerKeysOf(config, realClock)
  const rootKeys = new RootKeys(metadata, config.defaultRegistry, clock, ids)
  const tokenKeys = new TokenKeys(metadata, clock, ids, TOKEN_LIFETIME_MS)
  const robotTokens = new RobotTokens(metadata, clock, ids)
  const acceptsUnknownKeys = config.profile === 'dev'
  const tokens = new Tokens(metadata, callers, robotTokens, tokenKeys, clock, ids, { acceptsUnknownKeys })
  const keyServices = createKeyServices(foundation, access)
  const { repositoryKeys, repositoryGrants } = keyServices
  const repositories = new Repositories(metadata, access, repositoryKeys, clock, quotas, publicQuotas)
  const activations = new Activations(metadata, clock)
  const vaults = new Vaults(keyring, repositoryGrants, config.isEncryptionOn)
  const matching = new Matching(advisoryStore, clock, config.advisories)
  const inventories = new Inventories(metadata, analyser, clock)
  const contents = new ImageContents(metadata, blobs, vaults, inventories)
  const vex = new VexDocuments(metadata, contents, {
    nameOf: namesOf(config),
    report: (facts) => logger.warn(facts, 'a VEX document cannot be used'),
  })
  const scanFindings = new ScanFindings(metadata, vaults, access, matching, vex, pulls, clock, config.scanDurations)
  const admission = createAdmission(foundation, vaults, scanFindings, matching)
  const layers = new Layers(
    metadata,
    blobs,
    vaults,
    access,
    tickets,
    activations,
    admission,
    clock,
    config.fidelity === 'oci',
  )
  const uploads = new Uploads(metadata, blobs, vaults, access, clock, ids, quotas, publicQuotas)
  const pushSigning = new PushSigning(() => bells.signingAsked())
  const pushScanning = new PushScanning(clock, quotas, () => bells.scanAsked())
  const rematching = new Rematching(metadata, advisoryStore)
  const scanEngine = createScanEngine(foundation, contents, inventories, matching)
  const scanConfigurations = new ScanConfigurations(metadata, access, clock, () => bells.scanAsked())
  const replicationServices = createReplicationServices(foundation, access, () => bells.replicationAsked())
  const { pushReplication, deletionReplication } = replicationServices
  const sparse = config.acceptsSparseImages
  const images = new Images(
    metadata,
    vaults,
    access,
    clock,
    quotas,
    pulls,
    admission,
    pushSigning,
    pushScanning,
    pushReplication,
    sparse,
    publicQuotas,
    (ref) => traffic.pushed(ref),
  )
  const events = createEventServices(foundation, access, eventDestinationsOf(config), () => bells.eventRulesChanged())
  const attachments = new Attachments(uploads, images)
  const sboms = new Sboms(metadata, contents, attachments, clock, { version: VERSION, nameOf: namesOf(config) })
  const lifecycle = new Lifecycle(metadata, access, clock, ids, () => bells.previewAsked())
  const createsAll = config.createsRepositoryOnPush
  const pushTargets = new PushTargets(metadata, access, repositories, repositoryKeys, lifecycle, createsAll)
  return {
    ...keyServices,
    ...events,
    eventCommands: new EventCommands(
      events.eventLog,
      (registry) => webhookSecret(metadata, ids, registry),
      config.defaultRegistry,
    ),
    access,
    auditHistory: auditLog && new AuditHistory(auditLog, access),
    accountSettings: new AccountSettings(metadata, access),
    activations,
    administration: new Administration(rootKeys, robotTokens, tokenKeys, sessions, config.defaultRegistry, clock),
    authorizationMessages: new AuthorizationMessages(access, refusalSeal),
    alarms: new AlarmServices(metadata, access, clock, events.eventDestinations, () => bells.eventRulesChanged()),
    advisories: new Advisories(advisoryStore, clock, config.advisories),
    callers,
    creationTemplates: new CreationTemplates(metadata, access, clock),
    imageBatches: new ImageBatches(metadata, vaults, access, pulls, admission, clock),
    imageDeletion: new ImageDeletion(metadata, access, clock, deletionReplication),
    imageLists: new ImageLists(metadata, vaults, access, pulls, activations),
    images,
    imageScanner: new ImageScanner(metadata, blobs, vaults, scanEngine, rematching, clock),
    imageScans: new ImageScans(metadata, vaults, access, clock, quotas, () => bells.scanAsked()),
    inspector: new Inspector(metadata, access, scanFindings, scanConfigurations, pulls),
    inventories,
    keyUses,
    layers,
    lifecycle,
    matching,
    rematching,
    metricCounts,
    metricData: new MetricData(metadata, access, metricCounts, clock),
    logins: new Logins(access, tokens),
    policies: new Policies(metadata, access, config.fidelity === 'aws'),
    publicRegistries: new PublicRegistries(metadata, access, repositories, ids),
    pulls,
    pullEvents,
    pullTimeExclusions: new PullTimeExclusions(metadata, access, clock, pulls),
    pushTargets,
    ...createPullThrough({
      ...{ metadata, blobs, vaults, access, images, pushTargets, clock, quotas },
      secretValues: keyServices.secretValues,
      connections: upstreamConnections(config.upstreams, realClock),
      acceptsAnyUpstream: config.fidelity === 'oci',
      report: (error) => logger.error({ error: asError(error) }, 'an image could not be brought from its upstream'),
    }),
    ...replicationServices,
    repositories,
    robotTokens,
    rootKeys,
    sessions,
    scanCommands: new ScanCommands(
      {
        admissionRules: new AdmissionRules(metadata, clock),
        findingsReports: new FindingsReports(scanFindings),
        sboms,
        suppressionRules: new SuppressionRules(metadata, clock, ids),
      },
      config.defaultRegistry,
    ),
    scanConfigurations,
    scanFindings,
    roleSessions: new RoleSessions(metadata, access, sessions),
    userSessions: new UserSessions(metadata, access, callers, sessions),
    webIdentitySessions: new WebIdentitySessions(metadata, sessions, issuerKeys, realClock),
    signing: new Signing(metadata, access),
    storageAccounts: new StorageAccounts(metadata, clock),
    storageClasses: new StorageClasses(
      metadata,
      access,
      activations,
      pushScanning,
      pushReplication,
      clock,
      config.activationMs,
    ),
    throttle,
    tokenKeys,
    tokens,
    traffic,
    uploads,
    vaults,
  }
}

/** The keys of OpenID Connect issuers. What fetches them is loaded with the first token of one, not with the process. */
function issuerKeysOf(config: Config, realClock: Clock): Pick<IssuerKeys, 'find'> {
  const loaded = new Once(async () => {
    const { IssuerKeys } = await import('../clients/issuer-keys.ts')
    return new IssuerKeys(oidcSettings(config), realClock)
  })
  return { find: async (issuer, keyId) => (await loaded.get()).find(issuer, keyId) }
}

/** What scans; what other scanners take is loaded for them alone. */
function createScanEngine(
  { config, clock }: Foundation,
  contents: ImageContents,
  inventories: Inventories,
  matching: Matching,
): ScanEngine {
  const { scanEngine: wanted, advisories } = config
  if (wanted.kind === 'ecru') return new BuiltInEngine(inventories, matching)
  const made = new Once<ScanEngine>(async () => {
    if (wanted.kind === 'trivy') {
      const { TrivyCommand } = await import('../clients/trivy-command.ts')
      const { TrivyEngine } = await import('../services/trivy-engine.ts')
      return new TrivyEngine(contents, new TrivyCommand(wanted), clock, advisories)
    }
    const { HarborScannerAdapter } = await import('../clients/scanner-adapter.ts')
    const { AdapterEngine } = await import('../services/adapter-engine.ts')
    const { caFile, ...how } = wanted
    const caCertificates = caFile === undefined ? undefined : readFileSync(caFile, 'utf8')
    return new AdapterEngine(inventories, new HarborScannerAdapter({ ...how, caCertificates }), clock, advisories)
  })
  return {
    name: wanted.kind,
    scan: async (target, type, signal) => (await made.get()).scan(target, type, signal),
  }
}

/** The one that decides which images may be pulled; what it would refuse, were it not on trial, is logged. */
function createAdmission(
  { config, logger, clock, metadata }: Foundation,
  vaults: Vaults,
  scanFindings: ScanFindings,
  matching: Matching,
): Admission {
  return new Admission(metadata, vaults, scanFindings, matching, clock, {
    durations: config.scanDurations,
    onRefused: ({ principal, repository, digest, reason, isDryRun }) => {
      const { requestId } = principal.circumstances
      const facts = { requestId, principal: principal.arn, repository: repository.name, digest, reason }
      if (isDryRun) logger.warn(facts, 'a rule of admission would have refused a pull')
    },
  })
}

/** How people name repositories: by the configured host, else as ECR would. */
function namesOf({ registryHost }: Config): (ref: RepositoryRef) => string {
  const host = registryHost ?? '{account}.dkr.ecr.{region}.amazonaws.com'
  return ({ registry: { registryId, region }, name }) => `${registryHostFor(host, registryId, region)}/${name}`
}

/** The one that decides; what it refuses, or would refuse, is logged. */
function createAccess(
  { config, logger, clock, metadata }: Foundation,
  throttle: Throttle,
  refusalSeal: RefusalSeal,
  traffic: Traffic,
): Access {
  return new Access(metadata, clock, throttle, {
    mode: config.iam,
    organizationId: config.organizationId,
    identityPoliciesOf: (principal) => policyTextsOf(metadata, principal),
    onCall: (accountId, region, action) => traffic.called(accountId, region, action),
    onDenied: ({ isEnforced, principal, action, resource, decision }) => {
      if (!isEnforced)
        logger.warn(
          {
            requestId: principal.circumstances.requestId,
            principal: principal.arn,
            action,
            resource,
            reason: reasonOf(decision, action),
            policy: decision.policy,
            statement: decision.statement?.sid ?? decision.statement?.index,
          },
          'policies would have denied a request',
        )
    },
    sealRefusal: (refused) => refusalSeal.seal(refused),
    report: (error) => logger.error({ error }, 'a policy cannot be used'),
  })
}

/** What keys stand on. */
type KeyFoundation = Pick<Foundation, 'metadata' | 'ids'> & { readonly clock: Clock }

/** What KMS and Secrets Manager are made of. */
export function createKeyServices({ metadata, clock, ids }: KeyFoundation, access: Access) {
  const keyAccess = new KeyAccess(metadata, access)
  const keys = new Keys(metadata, keyAccess, clock, ids)
  const repositoryGrants = new RepositoryGrants(metadata, clock, ids)
  const keyCryptography = new KeyCryptography(metadata, keyAccess, ids)
  const secretAccess = new SecretAccess(metadata, access)
  const secretCipher = new SecretCipher(keyCryptography)
  const secretValues = new SecretValues(metadata, secretAccess, secretCipher, clock, ids)
  return {
    keyAliases: new KeyAliases(metadata, keyAccess, clock),
    keyCryptography,
    keyGrants: new KeyGrants(metadata, keyAccess, clock, ids),
    keyLifetimes: new KeyLifetimes(metadata, keyAccess, keys, clock),
    keyPolicies: new KeyPolicies(keyAccess, keys),
    keys,
    secrets: new Secrets(metadata, secretAccess, keyAccess, secretValues, clock, ids),
    secretValues,
    repositoryGrants,
    repositoryKeys: new RepositoryKeys(metadata, keyAccess, keys, repositoryGrants),
  }
}

const KEY_SET_BYTES_MAX = 256 * 1024
const KEY_SET_WAIT_MS = 5_000

/** Throws when the file of certificates cannot be read. */
function oidcSettings({ oidc }: Config): PublicFetchSettings {
  const { caFile, allowsPrivateAddresses, allowsHttp } = oidc
  const caCertificates = caFile === undefined ? undefined : readFileSync(caFile, 'utf8')
  const timeoutMs = KEY_SET_WAIT_MS
  return { allowsPrivateAddresses, allowsHttp, caCertificates, timeoutMs, bytesMax: KEY_SET_BYTES_MAX }
}
