import type { Severity } from '../../domain/advisories/severity.ts'
import { invalidParameter, scanNotFound } from '../../domain/errors.ts'
import type { Image, ImageId, TaggedImage } from '../../domain/image.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Repository } from '../../domain/repository.ts'
import { type RepositoryScanning, type ScanType, scanningOf } from '../../domain/scanning/configuration.ts'
import { severityIn } from '../../domain/scanning/finding-lists.ts'
import { dataFailure, lagOf } from '../../domain/scanning/judge.ts'
import type { ObservedFinding, Scan, SeverityCounts } from '../../domain/scanning/scan.ts'
import { isScannable } from '../../domain/scanning/scannable.ts'
import {
  joinedState,
  type ScanDurations,
  type ScanState,
  stateOf,
  unscannedState,
} from '../../domain/scanning/status.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { Matching } from '../advisories/matching.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { getImage } from '../images/get-image.ts'
import type { PullTimes } from '../images/pulls.ts'
import { type Paging, pageAfter, pageOf } from '../paging.ts'
import { getRepository } from '../repositories/repositories.ts'
import type { FindingStreams } from './finding-streams.ts'
import { hasFileSystem, scannedOf } from './image-scans.ts'
import { scanConfigurationOf } from './scan-configurations.ts'

/** A finding in one image. */
export interface ImageFinding {
  readonly finding: ObservedFinding
  readonly image: TaggedImage
  readonly scan: Scan
}

/** What a scan has found, a page of it. */
export interface ScanView {
  readonly type: ScanType
  readonly repository: Repository
  readonly image: Image
  readonly state: ScanState
  /** Absent while there is none: the scan has not ended yet, or found nothing that could be shown. */
  readonly result?:
    | {
        readonly completedAt: Date
        readonly sourceUpdatedAt?: Date | undefined
        readonly counts: SeverityCounts
        readonly findings: readonly ImageFinding[]
        readonly nextToken?: string | undefined
      }
    | undefined
}

interface JudgedScan {
  readonly scan: Scan
  readonly image: Image
  readonly state: ScanState
}

/** What findings are read and judged by. */
export interface ScanFindingParts {
  readonly metadata: MetadataStore
  readonly vaults: Vaults
  readonly access: Access
  readonly matching: Matching
  readonly streams: FindingStreams
  readonly pulls: PullTimes
  readonly clock: Clock
}

/** What scans have found. What was not scanned, or could not be judged, is said to be so. */
export class ScanFindings {
  readonly #metadata: MetadataStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #matching: Matching
  readonly #streams: FindingStreams
  readonly #pulls: PullTimes
  readonly #clock: Clock
  readonly #durations: ScanDurations

  constructor(parts: ScanFindingParts, durations: ScanDurations) {
    this.#metadata = parts.metadata
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#matching = parts.matching
    this.#streams = parts.streams
    this.#pulls = parts.pulls
    this.#clock = parts.clock
    this.#durations = durations
  }

  /**
   * The latest scan of an image by the type that holds in the registry; of an index, those of the images that it lists
   * together. Throws `repository-not-found`, `image-not-found`, `scan-not-found`, `invalid-parameter` (a token of no
   * listing, or of one that has changed since).
   */
  async describe(principal: Principal, ref: RepositoryRef, imageId: ImageId, paging: Paging): Promise<ScanView> {
    await this.#access.authorize(principal, 'ecr:DescribeImageScanFindings', ref)
    const after = pageAfter(paging)
    await this.#pulls.flush()
    const { repository, image, scanning, scans, unscanned } = await this.#metadata.read(async (view) => {
      const found = await getRepository(view, ref)
      const asked = await getImage(view, found.id, imageId, ref, 'imageId')
      const how = scanningOf(await scanConfigurationOf(view, ref.registry), found)
      return { repository: found, image: asked, scanning: how, ...(await scansOf(view, asked, how.type)) }
    })
    const { type } = scanning
    if (image.status === 'ARCHIVED') return { type, repository, image, state: ARCHIVED }
    const judged = await Promise.all(scans.map(([scan, of]) => this.judge(scan, of, scanning)))
    if (judged.length === 0) throw scanNotFound({ ...imageId, digest: image.digest }, ref)
    const lacking = await this.#statesOfUnscanned(repository, unscanned, scanning)
    const state = joinedState([...judged.map((one) => one.state), ...lacking])
    const seen = { type, repository, image, state }
    const done = judged.filter(({ scan }) => scan.completedAt !== undefined && isShown(scan))
    if (done.length === 0 || state.status === 'IN_PROGRESS' || state.status === 'PENDING') return seen
    return { ...seen, result: await this.#resultOf(repository, done, type, paging.limit, after) }
  }

  /** What a scan comes to now. */
  async judge(scan: Scan, image: Image, scanning: RepositoryScanning): Promise<JudgedScan> {
    const isKept = scan.type === 'ENHANCED' && scanning.frequency === 'CONTINUOUS_SCAN'
    const lack = isKept ? (lagOf(scan) ?? dataFailure(await this.#matching.presentCoverage(scan.coverage))) : undefined
    const state = stateOf(scan, scanning, image, lack, this.#clock.now(), this.#durations)
    return { scan, image, state }
  }

  /** Of the images that an index lists, those without a scan: what only describes images needs none. */
  async #statesOfUnscanned(
    repository: Repository,
    unscanned: readonly Image[],
    { type, frequency }: RepositoryScanning,
  ): Promise<readonly ScanState[]> {
    const states: ScanState[] = []
    for (const image of unscanned) {
      if (!(await hasFileSystem(this.#metadata.view, this.#vaults, repository, image))) continue
      if (image.status === 'ARCHIVED') states.push(ARCHIVED)
      else states.push(unscannedState(image.digest, type === 'ENHANCED' && frequency === 'CONTINUOUS_SCAN'))
    }
    return states
  }

  async #resultOf(
    repository: Repository,
    done: readonly JudgedScan[],
    type: ScanType,
    limit: number,
    after: string | undefined,
  ) {
    return await this.#metadata.read(async (view) => {
      const judgements = await Promise.all(
        done.map(({ scan, image }) => this.#streams.judgementOf(view, repository, scan, image)),
      )
      const generation = done
        .map(({ scan }, index) => `${scan.id}.${scan.generation}${judgements[index]?.key ?? ''}`)
        .join(',')
      const from = positionIn(generation, after)
      const isPlain = done.length === 1 && judgements.every(({ key }) => key === '')
      const { shown, counts } = isPlain
        ? await this.#stretchOf(view, repository, done, from, limit + 1)
        : await this.#joinedStretchOf(view, repository, done, type, from, limit + 1)
      const tagged = await view.images.findMany(
        repository.id,
        done.map(({ image }) => image.digest),
      )
      const rows = shown.map(([finding, scan], index) => {
        const image = done.find((one) => one.scan.id === scan.id)?.image
        if (image === undefined) throw new Error('A finding is of no scan that was asked for')
        const item = { finding, scan, image: tagged.find(({ id }) => id === image.id) ?? { ...image, tags: [] } }
        return { item, position: from + index + 1 }
      })
      const page = pageOf(rows, limit, ({ position }) => `${generation}/${position}`)
      const sources = done.flatMap(({ scan }) => scan.sourceUpdatedAt?.getTime() ?? [])
      return {
        completedAt: new Date(Math.max(...done.map(({ scan }) => scan.completedAt?.getTime() ?? 0))),
        sourceUpdatedAt: sources.length === 0 ? undefined : new Date(Math.min(...sources)),
        counts,
        findings: page.items.map(({ item }) => item),
        nextToken: page.nextToken,
      }
    })
  }

  /** Of a scan of which nothing is set aside: shown as it was recorded. */
  async #stretchOf(
    view: MetadataReader,
    repository: Repository,
    [only]: readonly JudgedScan[],
    from: number,
    limit: number,
  ): Promise<Stretch> {
    if (only === undefined) return { shown: [], counts: {} }
    const { scan } = only
    const found = await this.#streams.read(view, repository, scan, from, limit)
    return { shown: found.map((finding) => [finding, scan]), counts: scan.counts }
  }

  /** All are looked at, for they count together; only the stretch is kept. */
  async #joinedStretchOf(
    view: MetadataReader,
    repository: Repository,
    done: readonly JudgedScan[],
    type: ScanType,
    from: number,
    limit: number,
  ): Promise<Stretch> {
    const shown: (readonly [ObservedFinding, Scan])[] = []
    const counts: Partial<Record<Severity, number>> = {}
    let position = 0
    const scans = done.map(({ scan, image }) => [scan, image] as const)
    for await (const one of this.#streams.joined(view, repository, scans, type)) {
      const [finding] = one
      const severity = severityIn(type, finding)
      if (finding.status.kind === 'active') counts[severity] = (counts[severity] ?? 0) + 1
      if (position >= from && shown.length < limit) shown.push(one)
      position++
    }
    return { shown, counts }
  }
}

const ARCHIVED: ScanState = { status: 'IMAGE_ARCHIVED', description: 'The image is archived.' }

interface Stretch {
  readonly shown: readonly (readonly [ObservedFinding, Scan])[]
  readonly counts: SeverityCounts
}

/** The scans of an image, or of those that it lists, and those of them that look like images and have none. */
async function scansOf(
  view: MetadataReader,
  image: Image,
  type: ScanType,
): Promise<{ readonly scans: readonly (readonly [Scan, Image])[]; readonly unscanned: readonly Image[] }> {
  const own = await view.scans.find(image.id, type)
  if (own !== undefined) return { scans: [[own, image]], unscanned: [] }
  const children = await scannedOf(view, image)
  const found = await view.scans.findMany(
    children.map(({ id }) => id),
    type,
  )
  const scans = children.flatMap((child): (readonly [Scan, Image])[] => {
    const scan = found.get(child.id)
    return scan === undefined ? [] : [[scan, child]]
  })
  return { scans, unscanned: children.filter((child) => !found.has(child.id) && isScannable(child)) }
}

/** Whether findings can be shown: all, or those that were found although data was lacking. */
function isShown({ failure, findingCount }: Scan): boolean {
  return failure === undefined || (failure.code === 'data' && findingCount > 0)
}

/** Where a page begins. A position holds as long as the findings are the same ones: others would be passed by unseen. */
function positionIn(generation: string, after: string | undefined): number {
  if (after === undefined) return 0
  const slash = after.lastIndexOf('/')
  const position = Number(after.slice(slash + 1))
  if (after.slice(0, slash) !== generation || !Number.isSafeInteger(position))
    throw invalidParameter('nextToken', 'Invalid pagination token: the findings have changed since it was given')
  return position
}
