import { isRegistryError, type RegistryError } from '../domain/errors.ts'
import { type Manifest, parseManifest } from '../domain/manifest.ts'
import type { ScanType } from '../domain/scanning/configuration.ts'
import { imageTypeUnsupported } from '../domain/scanning/errors.ts'
import { countsOf, findingsFor } from '../domain/scanning/finding-lists.ts'
import type { ObservedFinding, ScanFailure } from '../domain/scanning/scan.ts'
import { isContainerImage } from '../domain/signing/container-image.ts'
import { kmsKeyOf } from '../domain/vault.ts'
import type { Clock } from '../lib/clock.ts'
import type { BlobStore } from '../stores/blobs.ts'
import type { MetadataStore, MetadataWriter } from '../stores/metadata.ts'
import type { KeptResult, PendingScan } from '../stores/scans.ts'
import type { ImageLayer } from './layer-analyser.ts'
import type { Rematching } from './rematching.ts'
import type { EngineReport, ScanEngine } from './scan-engine.ts'
import { tellScan } from './scan-events.ts'
import type { Vaults } from './vaults.ts'

/** What is scanned: enough to record what was found. */
export type ScannedImage = Pick<PendingScan, 'id' | 'type' | 'image' | 'repository'>

/** Scans single images and records what was found. It reads in the registry's own name, whoever may pull. */
export class ImageScanner {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #engine: ScanEngine
  readonly #rematching: Rematching
  readonly #clock: Clock

  constructor(
    metadata: MetadataStore,
    blobs: BlobStore,
    vaults: Vaults,
    engine: ScanEngine,
    rematching: Rematching,
    clock: Clock,
  ) {
    this.#metadata = metadata
    this.#blobs = blobs
    this.#vaults = vaults
    this.#engine = engine
    this.#rematching = rematching
    this.#clock = clock
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
        open: () => this.#open(pending, digest),
      }))
      return await this.#engine.scan({ repository, image, layers }, type, signal)
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
    const { id, type, image } = scanned
    const { inventory } = report
    return this.#metadata.transact(async (tx) => {
      await prove(tx)
      const before = await tx.scans.find(image.id, type)
      const result = await this.resultOf(tx, id, type, report)
      if (!(await tx.scans.finish(id, result))) return undefined
      await tellScan(tx, scanned, before?.completedAt === undefined, result)
      if (inventory !== undefined) {
        await tx.scans.putInventory(image.id, inventory)
        await this.#rematching.index(tx, image.id, inventory)
      }
      return result
    })
  }

  /** The report as it is to be kept: with when each finding was first seen. */
  async resultOf(tx: MetadataWriter, id: number, type: ScanType, report: EngineReport): Promise<KeptResult> {
    const { inventory: _, findings, ...rest } = report
    const completedAt = this.#clock.now()
    const known = new Map<string, ObservedFinding>()
    for (let from = 0; ; from += STEP) {
      const page = await tx.scans.listFindings(id, from, STEP)
      for (const finding of page) known.set(identityOf(finding), finding)
      if (page.length < STEP) break
    }
    const observed = findingsFor(type, findings).map((finding): ObservedFinding => {
      const before = known.get(identityOf(finding))
      const shortened = {
        ...finding,
        description: shorten(finding.description),
        references: finding.references.slice(0, REFERENCES_MAX),
      }
      if (before === undefined) return { ...shortened, firstObservedAt: completedAt, changedAt: completedAt }
      const { firstObservedAt, changedAt } = before
      const candidate = { ...shortened, firstObservedAt, changedAt }
      return Bun.deepEquals(candidate, before) ? candidate : { ...candidate, changedAt: completedAt }
    })
    return { ...rest, engine: this.#engine.name, completedAt, findings: observed, counts: countsOf(type, observed) }
  }

  async #manifestOf({ image, repository }: ScannedImage): Promise<Manifest | undefined> {
    const resolved = await this.#metadata.view.images.resolve(repository, { digest: image.digest })
    if (resolved?.found === undefined || resolved.found.image.id !== image.id) return undefined
    await this.#vaults.admit(repository, 'Decrypt')
    return parseManifest(await this.#vaults.openManifest(resolved.found), image.mediaType)
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

const STEP = 1_000
/** As much as Inspector shows. */
const DESCRIPTION_CHARS_MAX = 1024
const REFERENCES_MAX = 50

function shorten(text: string): string {
  return text.length <= DESCRIPTION_CHARS_MAX ? text : `${text.slice(0, DESCRIPTION_CHARS_MAX - 1)}…`
}

function identityOf({
  id,
  package: found,
  installedVersion,
}: ObservedFinding | EngineReport['findings'][number]): string {
  return JSON.stringify([id, found.type, found.name, installedVersion, found.filePath])
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
