import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type Digest, digestAlgorithm } from '../../domain/digest.ts'
import { objectOf } from '../../domain/json-values.ts'
import type { ScanType } from '../../domain/scanning/configuration.ts'
import { imageTypeUnsupported } from '../../domain/scanning/errors.ts'
import { momentOf } from '../../domain/scanning/foreign-report.ts'
import { readTrivyReport } from '../../domain/scanning/trivy-report.ts'
import type { Clock } from '../../lib/clock.ts'
import type { ImageContents } from '../images/image-contents.ts'
import { failedReport, staleFailure } from './foreign-engine.ts'
import type { EngineReport, ScanEngine, ScanTarget } from './scan-engine.ts'

/** Runs Trivy. Bounded in time and output; throws with a sentence for people when it did not do what it was asked for. */
export interface TrivyRunner {
  /** What it printed about an OCI layout on the disk, as JSON. */
  scanLayout(directory: string, signal: AbortSignal): Promise<unknown>
  /** What it says of itself and its database. */
  version(signal: AbortSignal): Promise<unknown>
}

export interface TrivyEngineSettings {
  /** Databases of an older state of the world are too old. */
  readonly ageMsMax: number
}

const CONFIG_BYTES_MAX = 8 * 1024 * 1024

/** Trivy's command line as a scanner: the image is laid out in a temporary directory for it, and nothing is pulled. */
export class TrivyEngine implements ScanEngine {
  readonly name = 'trivy'
  readonly #contents: ImageContents
  readonly #runner: TrivyRunner
  readonly #clock: Clock
  readonly #settings: TrivyEngineSettings

  constructor(contents: ImageContents, runner: TrivyRunner, clock: Clock, settings: TrivyEngineSettings) {
    this.#contents = contents
    this.#runner = runner
    this.#clock = clock
    this.#settings = settings
  }

  async scan(target: ScanTarget, type: ScanType, signal: AbortSignal): Promise<EngineReport> {
    const topLayer = target.layers.at(-1)?.digest
    if (topLayer === undefined) throw imageTypeUnsupported()
    const directory = await mkdtemp(join(tmpdir(), 'ecru-trivy-'))
    try {
      await this.#layOut(target, directory, signal)
      return await this.#scanLayout(directory, type, topLayer, signal)
    } finally {
      await rm(directory, { recursive: true, force: true })
    }
  }

  async #scanLayout(directory: string, type: ScanType, topLayer: Digest, signal: AbortSignal): Promise<EngineReport> {
    try {
      const report = readTrivyReport(await this.#runner.scanLayout(directory, signal), type, topLayer)
      const database = objectOf(objectOf(await this.#runner.version(signal))?.VulnerabilityDB)
      const sourceUpdatedAt = momentOf(database?.UpdatedAt)
      const failure =
        report.failure ?? staleFailure('Trivy', sourceUpdatedAt, this.#clock.now(), this.#settings.ageMsMax)
      return { ...report, coverage: [], failure, sourceUpdatedAt }
    } catch (thrown) {
      signal.throwIfAborted()
      return failedReport('Trivy', thrown)
    }
  }

  /** Throws what opening a layer throws, as any engine. */
  async #layOut({ repository, image, layers }: ScanTarget, directory: string, signal: AbortSignal): Promise<void> {
    const { manifest } = await this.#contents.open(repository, { digest: image.digest })
    const { config } = manifest
    if (config === undefined) throw imageTypeUnsupported()
    const place = async (digest: Digest) => {
      const folder = join(directory, 'blobs', digestAlgorithm(digest))
      await mkdir(folder, { recursive: true })
      return join(folder, digest.slice(digest.indexOf(':') + 1))
    }
    await writeFile(
      await place(config.digest),
      await this.#contents.blobOf(repository, config.digest, CONFIG_BYTES_MAX),
    )
    for (const { digest, open } of layers)
      await pipeline(Readable.from(await open()), createWriteStream(await place(digest)), { signal })
    const descriptor = ({ mediaType, digest, sizeBytes }: typeof config) => ({ mediaType, digest, size: sizeBytes })
    const bytes = JSON.stringify({
      schemaVersion: 2,
      mediaType: manifest.mediaType,
      config: descriptor(config),
      layers: manifest.layers.map(descriptor),
    })
    const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest
    await writeFile(await place(digest), bytes)
    const index = { schemaVersion: 2, manifests: [{ mediaType: manifest.mediaType, digest, size: bytes.length }] }
    await writeFile(join(directory, 'index.json'), JSON.stringify(index))
    await writeFile(join(directory, 'oci-layout'), '{"imageLayoutVersion":"1.0.0"}')
  }
}
