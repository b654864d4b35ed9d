import { readFileSync } from 'node:fs'
import { registryHostFor } from '../config/addresses.ts'
import type { Config } from '../config/config.ts'
import type { RepositoryRef } from '../domain/names.ts'
import { Once } from '../lib/once.ts'
import type { Access } from '../services/access/access.ts'
import { Advisories } from '../services/advisories/advisories.ts'
import { Matching } from '../services/advisories/matching.ts'
import { Rematching } from '../services/advisories/rematching.ts'
import type { Vaults } from '../services/encryption/vaults.ts'
import { Admission } from '../services/images/admission.ts'
import { ImageContents } from '../services/images/image-contents.ts'
import type { PullTimes } from '../services/images/pulls.ts'
import { BuiltInEngine } from '../services/scanning/built-in-engine.ts'
import { FindingEvents } from '../services/scanning/finding-events.ts'
import { FindingStreams } from '../services/scanning/finding-streams.ts'
import { ImageScanner } from '../services/scanning/image-scanner.ts'
import { ImageScans } from '../services/scanning/image-scans.ts'
import { Inspector } from '../services/scanning/inspector.ts'
import { Inventories } from '../services/scanning/inventories.ts'
import { KeptFindings } from '../services/scanning/kept-findings.ts'
import type { LayerAnalyser } from '../services/scanning/layer-analyser.ts'
import { PushScanning } from '../services/scanning/push-scanning.ts'
import { ScanConfigurations } from '../services/scanning/scan-configurations.ts'
import type { ScanEngine } from '../services/scanning/scan-engine.ts'
import { ScanFindings } from '../services/scanning/scan-findings.ts'
import { SortedFindings } from '../services/scanning/sorted-findings.ts'
import { VexDocuments } from '../services/scanning/vex-documents.ts'
import type { Foundation } from './foundation.ts'

/** What scans are made of, beside the store of images. */
export interface ScanParts {
  readonly analyser: LayerAnalyser
  readonly vaults: Vaults
  readonly access: Access
  readonly pulls: PullTimes
  /** Rings for the jobs that scan. */
  readonly onAsked: () => void
}

/** What looks into images, and what follows from it. */
export function createScanServices(foundation: Foundation, { analyser, vaults, access, pulls, onAsked }: ScanParts) {
  const { config, logger, clock, metadata, blobs } = foundation
  const { advisories: advisoryStore } = foundation
  const { quotas } = config
  const matching = new Matching(advisoryStore, clock, config.advisories)
  const inventories = new Inventories(metadata, analyser, clock, vaults)
  const imageContents = new ImageContents(metadata, blobs, vaults, inventories)
  const vex = new VexDocuments(metadata, imageContents, {
    nameOf: repositoryNames(config),
    report: (facts) => logger.warn(facts, 'a VEX document cannot be used'),
  })
  const keptFindings = new KeptFindings(vaults)
  const streams = new FindingStreams(keptFindings, vex, clock)
  const scanFindings = new ScanFindings(
    { metadata, vaults, access, matching, streams, pulls, clock },
    config.scanDurations,
  )
  const rematching = new Rematching(metadata, advisoryStore, vaults)
  const scanEngine = createScanEngine(foundation, imageContents, inventories, matching)
  const scanConfigurations = new ScanConfigurations(metadata, access, clock, onAsked)
  const inspector = new Inspector({
    metadata,
    access,
    scanFindings,
    streams,
    configurations: scanConfigurations,
    pulls,
  })
  return {
    admission: createAdmission(foundation, vaults, streams, matching),
    advisories: new Advisories(advisoryStore, clock, config.advisories),
    imageContents,
    imageScanner: new ImageScanner({
      ...{ metadata, blobs, vaults, rematching, clock },
      engine: scanEngine,
      kept: keptFindings,
      events: new FindingEvents(metadata, vex, clock),
    }),
    imageScans: new ImageScans({ metadata, vaults, access, clock, onRequested: onAsked }, quotas),
    inspector,
    inventories,
    keptFindings,
    sortedFindings: new SortedFindings(inspector),
    matching,
    pushScanning: new PushScanning(clock, quotas, onAsked),
    rematching,
    scanConfigurations,
    scanFindings,
  }
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
      const { TrivyEngine } = await import('../services/scanning/trivy-engine.ts')
      return new TrivyEngine(contents, new TrivyCommand(wanted), clock, advisories)
    }
    const { HarborScannerAdapter } = await import('../clients/scanner-adapter.ts')
    const { AdapterEngine } = await import('../services/scanning/adapter-engine.ts')
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
  streams: FindingStreams,
  matching: Matching,
): Admission {
  return new Admission(
    { metadata, vaults, findings: streams, matching, clock },
    {
      durations: config.scanDurations,
      onRefused: ({ principal, repository, digest, reason, isDryRun }) => {
        const { requestId } = principal.circumstances
        const facts = { requestId, principal: principal.arn, repository: repository.name, digest, reason }
        if (isDryRun) logger.warn(facts, 'a rule of admission would have refused a pull')
      },
    },
  )
}

/** How people name repositories: by the configured host, else as ECR would. */
export function repositoryNames({ registryHost }: Config): (ref: RepositoryRef) => string {
  const host = registryHost ?? '{account}.dkr.ecr.{region}.amazonaws.com'
  return ({ registry: { registryId, region }, name }) => `${registryHostFor(host, registryId, region)}/${name}`
}
