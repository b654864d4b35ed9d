import { VERSION } from '../config/version.ts'
import { Policies } from '../services/access/policies.ts'
import { AccountSettings } from '../services/account-settings.ts'
import { AdvisoryPushes } from '../services/advisories/advisory-pushes.ts'
import { AuditHistory } from '../services/audit/audit-history.ts'
import { Vaults } from '../services/encryption/vaults.ts'
import { EventCommands } from '../services/events/event-commands.ts'
import { webhookSecret } from '../services/events/webhook-secret.ts'
import { Activations } from '../services/images/activations.ts'
import { AdmissionRules } from '../services/images/admission-rules.ts'
import { Attachments } from '../services/images/attachments.ts'
import { DownloadTickets } from '../services/images/download-urls.ts'
import { ImageBatches } from '../services/images/image-batches.ts'
import { ImageDeletion } from '../services/images/image-deletion.ts'
import { ImageLists } from '../services/images/image-lists.ts'
import { Images } from '../services/images/images.ts'
import { Layers } from '../services/images/layers.ts'
import { PullEvents } from '../services/images/pull-events.ts'
import { PullTimeExclusions } from '../services/images/pull-time-exclusions.ts'
import { PullTimes } from '../services/images/pulls.ts'
import { StorageClasses } from '../services/images/storage-classes.ts'
import { Uploads } from '../services/images/uploads.ts'
import { Lifecycle } from '../services/lifecycle/lifecycle.ts'
import { AlarmServices } from '../services/metrics/alarms.ts'
import { MetricData } from '../services/metrics/metric-data.ts'
import { CreationTemplates } from '../services/repositories/creation-templates.ts'
import { PublicPullQuota } from '../services/repositories/public-pull-quota.ts'
import { PublicRegistries } from '../services/repositories/public-registries.ts'
import { PushTargets } from '../services/repositories/push-targets.ts'
import { Repositories } from '../services/repositories/repositories.ts'
import { StorageAccounts } from '../services/repositories/storage-figures.ts'
import { FindingsReports } from '../services/scanning/findings-reports.ts'
import type { LayerAnalyser } from '../services/scanning/layer-analyser.ts'
import { Sboms } from '../services/scanning/sboms.ts'
import { ScanCommands } from '../services/scanning/scan-commands.ts'
import { SuppressionRules } from '../services/scanning/suppression-rules.ts'
import { PushSigning } from '../services/signing/push-signing.ts'
import { Signing } from '../services/signing/signing.ts'
import { createAccessServices } from './access-services.ts'
import { createEventServices, eventDestinationsOf } from './event-services.ts'
import { asError, type Foundation } from './foundation.ts'
import { createIdentityServices } from './identity-services.ts'
import { createKeyServices } from './key-services.ts'
import { createPullThrough, mirrorSettings, upstreamConnections } from './pull-through.ts'
import { createReplicationServices } from './replication-services.ts'
import { createScanServices, repositoryNames } from './scan-services.ts'

/** How services ring for work that jobs do. Asked only once something was committed. */
export interface Bells {
  previewAsked(): void
  replicationAsked(): void
  signingAsked(): void
  scanAsked(): void
  advisoriesPushed(): void
  eventRulesChanged(): void
}

export type Services = ReturnType<typeof createServices>

/** Makes the services of a registry, each with what it asks for. */
export function createServices(foundation: Foundation, analyser: LayerAnalyser, bells: Bells) {
  const { config, logger, clock, realClock, ids, metadata, blobs, keyring, auditLog } = foundation
  const { quotas, publicQuotas } = config
  const accessServices = createAccessServices(foundation)
  const { access, metricCounts, traffic } = accessServices
  const onPullTimesLost = (error: unknown) => logger.error({ error: asError(error) }, 'pull times lost')
  const onPullEventsLost = (error: unknown) => logger.error({ error: asError(error) }, 'events of pulls lost')
  const pullEvents = config.events.tellsExtensions ? new PullEvents(metadata, clock, onPullEventsLost) : undefined
  const pulls = new PullTimes(metadata, clock, onPullTimesLost, (ref, image, tag) => {
    traffic.pulled(ref)
    pullEvents?.record(ref, image, tag)
  })
  const tickets = new DownloadTickets(metadata, clock, ids)
  const keyServices = createKeyServices(foundation, access)
  const { repositoryKeys, repositoryGrants } = keyServices
  const repositories = new Repositories({ metadata, access, keys: repositoryKeys, clock }, { quotas, publicQuotas })
  const activations = new Activations(metadata, clock)
  const vaults = new Vaults(keyring, repositoryGrants, config.isEncryptionOn)
  const onAsked = () => bells.scanAsked()
  const scanServices = createScanServices(foundation, { analyser, vaults, access, pulls, onAsked })
  const { admission, pushScanning, scanFindings } = scanServices
  const layers = new Layers(
    { metadata, blobs, vaults, access, tickets, activations, admission, clock },
    { isMountOpen: config.fidelity === 'oci' },
  )
  const uploads = new Uploads({ metadata, blobs, vaults, access, clock, ids }, { quotas, publicQuotas })
  const replicationServices = createReplicationServices(foundation, access, () => bells.replicationAsked())
  const { pushReplication, deletionReplication } = replicationServices
  const images = new Images(
    { metadata, vaults, access, clock, pulls, admission },
    {
      signing: new PushSigning(() => bells.signingAsked()),
      scanning: pushScanning,
      replication: pushReplication,
      onPush: (ref) => traffic.pushed(ref),
      advisories: new AdvisoryPushes(config.advisories.repository, access, clock, () => bells.advisoriesPushed()),
    },
    {
      ...{ quotas, publicQuotas, isSparseAccepted: config.acceptsSparseImages },
      areLayersWanted: config.fidelity === 'aws',
    },
  )
  const events = createEventServices(foundation, access, eventDestinationsOf(config), () => bells.eventRulesChanged())
  const sboms = new Sboms(metadata, scanServices.imageContents, new Attachments(uploads, images), clock, {
    version: VERSION,
    nameOf: repositoryNames(config),
  })
  const lifecycle = new Lifecycle(metadata, access, clock, ids, () => bells.previewAsked())
  const pushTargets = new PushTargets(
    { metadata, access, repositories, keys: repositoryKeys, lifecycle },
    { isEveryPushWelcome: config.createsRepositoryOnPush },
  )
  return {
    ...accessServices,
    ...createIdentityServices(foundation, access),
    ...keyServices,
    ...scanServices,
    ...events,
    eventCommands: new EventCommands(
      events.eventLog,
      (registry) => webhookSecret(metadata, ids, registry),
      config.defaultRegistry,
    ),
    auditHistory: auditLog && new AuditHistory(auditLog, access),
    accountSettings: new AccountSettings(metadata, access),
    activations,
    alarms: new AlarmServices(metadata, access, clock, events.eventDestinations, () => bells.eventRulesChanged()),
    creationTemplates: new CreationTemplates(metadata, access, clock),
    imageBatches: new ImageBatches({ metadata, vaults, access, pulls, admission, clock }),
    imageDeletion: new ImageDeletion(metadata, access, clock, deletionReplication),
    imageLists: new ImageLists(metadata, vaults, access, pulls, activations),
    images,
    layers,
    lifecycle,
    metricData: new MetricData(metadata, access, metricCounts, clock),
    policies: new Policies(metadata, access, config.fidelity === 'aws'),
    publicRegistries: new PublicRegistries(metadata, access, repositories, ids),
    publicPullQuota: new PublicPullQuota(metadata, clock, publicQuotas.anonymousPullBytesPerMonth),
    pulls,
    pullEvents,
    pullTimeExclusions: new PullTimeExclusions(metadata, access, clock, pulls),
    pushTargets,
    ...createPullThrough({
      ...{ metadata, blobs, vaults, access, images, pushTargets, clock, quotas },
      audit: foundation.audit,
      secretValues: keyServices.secretValues,
      connections: upstreamConnections(config.upstreams, realClock),
      acceptsAnyUpstream: config.fidelity === 'oci',
      mirrors: mirrorSettings(config),
      report: (error) => logger.error({ error: asError(error) }, 'an image could not be brought from its upstream'),
    }),
    ...replicationServices,
    repositories,
    scanCommands: new ScanCommands(
      {
        admissionRules: new AdmissionRules(metadata, clock),
        findingsReports: new FindingsReports(scanFindings),
        sboms,
        suppressionRules: new SuppressionRules(metadata, clock, ids),
      },
      config.defaultRegistry,
    ),
    signing: new Signing(metadata, access),
    storageAccounts: new StorageAccounts(metadata, clock),
    storageClasses: new StorageClasses(
      { metadata, access, activations, scanning: pushScanning, replication: pushReplication, clock },
      { activationMs: config.activationMs },
    ),
    uploads,
    vaults,
  }
}
