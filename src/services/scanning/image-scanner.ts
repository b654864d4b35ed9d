import type { Finding } from '../../domain/advisories/finding.ts'
import { isRegistryError, type RegistryError } from '../../domain/errors.ts'
import type { RegistryEvent } from '../../domain/events.ts'
import { objectOf, textOf } from '../../domain/json-values.ts'
import { type Manifest, parseManifest } from '../../domain/manifest.ts'
import { imageTypeUnsupported } from '../../domain/scanning/errors.ts'
import { countsAfter, countsOf, findingsFor } from '../../domain/scanning/finding-lists.ts'
import type { ObservedFinding, ScanFailure } from '../../domain/scanning/scan.ts'
import { isContainerImage } from '../../domain/signing/container-image.ts'
import { kmsKeyOf } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import type { BlobStore } from '../../stores/blobs.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { IndexedPackage } from '../../stores/package-index.ts'
import type { FindingsChange, KeptDocument, KeptResult, PendingScan } from '../../stores/scans.ts'
import type { Rematching } from '../advisories/rematching.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { type FindingEvents, identityOf } from './finding-events.ts'
import type { KeptFindings } from './kept-findings.ts'
import type { ImageLayer } from './layer-analyser.ts'
import type { EngineReport, ScanEngine } from './scan-engine.ts'
import { tellScan } from './scan-events.ts'

/** What is scanned: enough to record what was found. */
export type ScannedImage = Pick<PendingScan, 'id' | 'type' | 'image' | 'repository'>

/** What is to be written down of a scan. */
export interface PreparedResult {
  /** Of the findings before. */
  readonly generation: number | undefined
  readonly isFirst: boolean
  readonly result: KeptResult
  readonly change: FindingsChange | undefined
  readonly inventory:
    | {
        readonly analyserVersion: number
        readonly document: KeptDocument
        readonly keys: readonly IndexedPackage[]
      }
    | undefined
  readonly events: readonly RegistryEvent[]
}

/** What scans read, and where what they find is kept. */
export interface ImageScannerParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly vaults: Vaults
  readonly engine: ScanEngine
  readonly rematching: Rematching
  readonly kept: KeptFindings
  readonly events: FindingEvents
  readonly clock: Clock
}

/** Scans single images and records what was found. It reads in the registry's own name, whoever may pull. */
export class ImageScanner {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #engine: ScanEngine
  readonly #rematching: Rematching
  readonly #kept: KeptFindings
  readonly #events: FindingEvents
  readonly #clock: Clock

  constructor(parts: ImageScannerParts) {
    this.#metadata = parts.metadata
    this.#blobs = parts.blobs
    this.#vaults = parts.vaults
    this.#engine = parts.engine
    this.#rematching = parts.rematching
    this.#kept = parts.kept
    this.#events = parts.events
    this.#clock = parts.clock
  }

  get engineName(): string {
    return this.#engine.name
  }

  /**
   * Scans an image by its layers. What is wrong with the image itself is the result; what went wrong otherwise is thrown,
   * and so is the signal's reason. `undefined`: the image is gone.
   */
  async scan(pending: ScannedImage, signal: AbortSignal): Promise<EngineReport | undefined> {
    const { image, repository, type } = pending
    try {
      const manifest = await this.#manifestOf(pending)
      if (manifest === undefined) return undefined
      if (!isContainerImage(manifest, [])) throw imageTypeUnsupported()
      const layers = manifest.layers.map(({ digest, mediaType }) => ({
        digest,
        mediaType,
        vault: this.#vaults.vaultOf(repository),
        open: () => this.#open(pending, digest),
      }))
      const architecture = await this.#architectureOf(pending, manifest)
      return { ...(await this.#engine.scan({ repository, image, layers }, type, signal)), architecture }
    } catch (thrown) {
      const failure = failureOfImage(thrown)
      if (failure === undefined || signal.aborted) throw thrown
      return { findings: [], coverage: [], failure }
    }
  }

  /** Records a report. `prove` runs in the same transaction, which it undoes by throwing. Answers what was recorded; `undefined`: the scan is gone. */
  async record(
    scanned: ScannedImage,
    report: EngineReport,
    prove: (tx: MetadataWriter) => Promise<void>,
  ): Promise<KeptResult | undefined> {
    for (;;) {
      const prepared = await this.prepare(scanned, report)
      const outcome = await this.#metadata.transact(async (tx) => {
        await prove(tx)
        return this.write(tx, scanned, prepared, true)
      })
      if (outcome !== 'outdated') return outcome === 'recorded' ? prepared.result : undefined
    }
  }

  /**
   * A report as it is to be kept: with when each finding was first seen, and sealed. When the key of the repository cannot be
   * used now, that is the result: there is no other place for findings. With `only`, the report is about the packages of these
   * names, and what was found in the others stays.
   */
  async prepare(scanned: ScannedImage, report: EngineReport, only?: ReadonlySet<string>): Promise<PreparedResult> {
    try {
      return await this.#prepare(scanned, report, only)
    } catch (thrown) {
      if (!isRegistryError(thrown, 'kms-key-unusable')) throw thrown
      return await this.prepareFailure(scanned, thrown.message)
    }
  }

  async #prepare(
    { id, type, image, repository }: ScannedImage,
    report: EngineReport,
    only: ReadonlySet<string> | undefined,
  ): Promise<PreparedResult> {
    const { inventory, findings, ...rest } = report
    const { view } = this.#metadata
    const before = await view.scans.find(image.id, type)
    const known = await this.#kept.open(view, repository, id, only)
    const completedAt = this.#clock.now()
    const observed = observe(known.findings, findingsFor(type, findings), completedAt)
    const { change, findingCount } = await this.#kept.exchange(repository, { id, type }, known, observed)
    const counts = countsOf(type, observed)
    return {
      generation: before?.generation,
      isFirst: before?.completedAt === undefined,
      result: {
        ...rest,
        architecture: rest.architecture ?? before?.architecture,
        engine: this.#engine.name,
        completedAt,
        findingCount,
        counts: only === undefined ? counts : countsAfter(before?.counts ?? {}, countsOf(type, known.findings), counts),
      },
      change,
      inventory: inventory && {
        analyserVersion: inventory.analyserVersion,
        document: await this.#kept.sealInventory(repository, image.id, inventory),
        keys: await this.#rematching.keysOf(repository, inventory),
      },
      events: type === 'BASIC' ? [] : await this.#events.of({ image, repository }, known.findings, observed, rest),
    }
  }

  /** A result without findings, as those that there were cannot be opened: they go. */
  async prepareFailure({ image, type }: ScannedImage, reason: string): Promise<PreparedResult> {
    const failure = { code: 'layer', reason } as const
    const before = await this.#metadata.view.scans.find(image.id, type)
    const completedAt = this.#clock.now()
    return {
      generation: before?.generation,
      isFirst: before?.completedAt === undefined,
      result: { engine: this.#engine.name, completedAt, coverage: [], failure, findingCount: 0, counts: {} },
      change: { partCount: 0, parts: [] },
      inventory: undefined,
      events: [],
    }
  }

  /** Writes it down. `outdated`: the scan has become another one since it was prepared; then nothing is written. */
  async write(
    tx: MetadataWriter,
    scanned: ScannedImage,
    { generation, isFirst, result, change, inventory, events }: PreparedResult,
    isAsked: boolean,
  ): Promise<'recorded' | 'outdated' | 'gone'> {
    const { id, type, image } = scanned
    const present = await tx.scans.find(image.id, type)
    if (present === undefined || present.id !== id) return 'gone'
    if (present.generation !== generation) return 'outdated'
    await tx.scans.finish(id, result, change)
    if (isAsked) await tellScan(tx, scanned, isFirst, result)
    for (const event of events) await tx.outbox.append(event)
    if (inventory !== undefined) {
      await tx.scans.putInventory(image.id, inventory.analyserVersion, inventory.document)
      await tx.packageIndex.put(image.id, inventory.keys)
    }
    return 'recorded'
  }

  async #manifestOf({ image, repository }: ScannedImage): Promise<Manifest | undefined> {
    const resolved = await this.#metadata.view.images.resolve(repository, { digest: image.digest })
    if (resolved?.found === undefined || resolved.found.image.id !== image.id) return undefined
    await this.#vaults.admit(repository, 'Decrypt')
    return parseManifest(await this.#vaults.openManifest(resolved.found), image.mediaType)
  }

  async #architectureOf(scanned: ScannedImage, { config }: Manifest): Promise<string | undefined> {
    const blob = config && (await this.#metadata.view.blobs.findLinked(scanned.repository.id, config.digest))
    if (blob === undefined || blob.sizeBytes > CONFIG_BYTES_MAX) return undefined
    const stated = parsed(await new Response(await this.#open(scanned, blob.digest)).text())
    return textOf(objectOf(stated)?.architecture)?.slice(0, ARCHITECTURE_CHARS_MAX)
  }

  async #open({ repository }: ScannedImage, digest: ImageLayer['digest']): Promise<ReadableStream<Uint8Array>> {
    const blob = await this.#metadata.view.blobs.findLinked(repository.id, digest)
    if (blob === undefined) throw imageTypeUnsupported()
    if (kmsKeyOf(blob.vault) !== undefined) await this.#vaults.admit(repository, 'Decrypt')
    await this.#vaults.check(blob.vault)
    const body = await this.#blobs.read(blob)
    return body instanceof Blob ? body.stream() : body
  }
}

/** Findings with since when they have been there, and since when they are as they are. */
function observe(
  known: readonly ObservedFinding[],
  findings: readonly Finding[],
  at: Date,
): readonly ObservedFinding[] {
  const earlier = new Map(known.map((finding) => [identityOf(finding), finding]))
  return findings.map((finding): ObservedFinding => {
    const before = earlier.get(identityOf(finding))
    const shortened = {
      ...finding,
      description: shorten(finding.description),
      references: finding.references.slice(0, REFERENCES_MAX),
    }
    if (before === undefined) return { ...shortened, firstObservedAt: at, changedAt: at }
    const { firstObservedAt, changedAt } = before
    const candidate = { ...shortened, firstObservedAt, changedAt }
    return Bun.deepEquals(candidate, before) ? candidate : { ...candidate, changedAt: at }
  })
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

const CONFIG_BYTES_MAX = 4 * 1024 * 1024
/** As many as Inspector's model allows. */
const ARCHITECTURE_CHARS_MAX = 64

/** As much as Inspector shows. */
const DESCRIPTION_CHARS_MAX = 1024
const REFERENCES_MAX = 50

function shorten(text: string): string {
  return text.length <= DESCRIPTION_CHARS_MAX ? text : `${text.slice(0, DESCRIPTION_CHARS_MAX - 1)}…`
}

/** What is the image's own fault, or that of whoever keeps its key; `undefined`: it is ours. */
function failureOfImage(thrown: unknown): ScanFailure | undefined {
  if (!isRegistryError(thrown, ...OF_IMAGE)) return undefined
  const error: RegistryError = thrown
  const isOfType = error.code === 'layer-type-unsupported' || error.code === 'image-type-unsupported'
  return { code: isOfType ? 'type-unsupported' : 'layer', reason: error.message }
}

const OF_IMAGE = [
  'analysis-timed-out',
  'blob-not-found',
  'image-type-unsupported',
  'kms-key-unusable',
  'layer-too-large',
  'layer-type-unsupported',
  'layer-unreadable',
  'manifest-invalid',
] as const
