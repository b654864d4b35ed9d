import { VERSION } from '../config/version.ts'
import { AccountSettings } from '../services/account-settings.ts'
import { Activations } from '../services/activations.ts'
import { AdmissionRules } from '../services/admission-rules.ts'
import { AdvisoryPushes } from '../services/advisory-pushes.ts'
import { AlarmServices } from '../services/alarms.ts'
import { Attachments } from '../services/attachments.ts'
import { AuditHistory } from '../services/audit-history.ts'
import { CreationTemplates } from '../services/creation-templates.ts'
import { DownloadTickets } from '../services/download-urls.ts'
import { EventCommands } from '../services/event-commands.ts'
import { FindingsReports } from '../services/findings-reports.ts'
import { ImageBatches } from '../services/image-batches.ts'
import { ImageDeletion } from '../services/image-deletion.ts'
import { ImageLists } from '../services/image-lists.ts'
import { Images } from '../services/images.ts'
import type { LayerAnalyser } from '../services/layer-analyser.ts'
import { Layers } from '../services/layers.ts'
import { Lifecycle } from '../services/lifecycle.ts'
import { MetricData } from '../services/metric-data.ts'
import { Policies } from '../services/policies.ts'
import { PublicRegistries } from '../services/public-registries.ts'
import { PullEvents } from '../services/pull-events.ts'
import { PullTimeExclusions } from '../services/pull-time-exclusions.ts'
import { PullTimes } from '../services/pulls.ts'
import { PushSigning } from '../services/push-signing.ts'
import { PushTargets } from '../services/push-targets.ts'
import { Repositories } from '../services/repositories.ts'
import { Sboms } from '../services/sboms.ts'
import { ScanCommands } from '../services/scan-commands.ts'
import { Signing } from '../services/signing.ts'
import { StorageClasses } from '../services/storage-classes.ts'
import { StorageAccounts } from '../services/storage-figures.ts'
import { SuppressionRules } from '../services/suppression-rules.ts'
import { Uploads } from '../services/uploads.ts'
import { Vaults } from '../services/vaults.ts'
import { webhookSecret } from '../services/webhook-secret.ts'
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
  const repositories = new Repositories(metadata, access, repositoryKeys, clock, quotas, publicQuotas)
  const activations = new Activations(metadata, clock)
  const vaults = new Vaults(keyring, repositoryGrants, config.isEncryptionOn)
  const onAsked = () => bells.scanAsked()
  const scanServices = createScanServices(foundation, { analyser, vaults, access, pulls, onAsked })
  const { admission, pushScanning, scanFindings } = scanServices
  const isMountOpen = config.fidelity === 'oci'
  const layers = new Layers(metadata, blobs, vaults, access, tickets, activations, admission, clock, isMountOpen)
  const uploads = new Uploads(metadata, blobs, vaults, access, clock, ids, quotas, publicQuotas)
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
    { quotas, publicQuotas, isSparseAccepted: config.acceptsSparseImages },
  )
  const events = createEventServices(foundation, access, eventDestinationsOf(config), () => bells.eventRulesChanged())
  const sboms = new Sboms(metadata, scanServices.imageContents, new Attachments(uploads, images), clock, {
    version: VERSION,
    nameOf: repositoryNames(config),
  })
  const lifecycle = new Lifecycle(metadata, access, clock, ids, () => bells.previewAsked())
  const createsAll = config.createsRepositoryOnPush
  const pushTargets = new PushTargets(metadata, access, repositories, repositoryKeys, lifecycle, createsAll)
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
    imageBatches: new ImageBatches(metadata, vaults, access, pulls, admission, clock),
    imageDeletion: new ImageDeletion(metadata, access, clock, deletionReplication),
    imageLists: new ImageLists(metadata, vaults, access, pulls, activations),
    images,
    layers,
    lifecycle,
    metricData: new MetricData(metadata, access, metricCounts, clock),
    policies: new Policies(metadata, access, config.fidelity === 'aws'),
    publicRegistries: new PublicRegistries(metadata, access, repositories, ids),
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
      metadata,
      access,
      activations,
      pushScanning,
      pushReplication,
      clock,
      config.activationMs,
    ),
    uploads,
    vaults,
  }
}
