import type { Finding } from '../../domain/advisories/finding.ts'
import { ANALYSER_VERSION } from '../../domain/inventory/analyser-version.ts'
import type { Inventory } from '../../domain/inventory/package.ts'
import type { Repository } from '../../domain/repository.ts'
import type { ScanType } from '../../domain/scanning/configuration.ts'
import { compareShown } from '../../domain/scanning/finding-lists.ts'
import type { ObservedFinding, Scan } from '../../domain/scanning/scan.ts'
import { kmsKeyOf } from '../../domain/vault.ts'
import { packed, unpacked } from '../../lib/packed-json.ts'
import type { MetadataReader } from '../../stores/metadata.ts'
import type { FindingsChange, KeptDocument, KeptPart } from '../../stores/scans.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { linesOf, packageNameOf, partOf } from './finding-lines.ts'

/** How many findings are kept together. */
const IN_PART = 100
/** How many parts are in memory at once. */
const PARTS_AT_ONCE = 5

/** The findings of a scan as they lie, opened. */
export interface OpenedFindings {
  /** JSON of each part. */
  readonly texts: readonly string[]
  readonly findings: readonly ObservedFinding[]
  /** JSON of each finding that was not asked for, in the order in which they are shown. */
  readonly others: readonly string[]
}

/** Findings that have been put in the place of others. */
export interface ExchangedFindings {
  /** `undefined`: all are as they were. */
  readonly change: FindingsChange | undefined
  /** With those that stayed. */
  readonly findingCount: number
}

/**
 * What scans find, and what is in images: read in stretches, so that very many findings take no more memory than few, and
 * sealed in the vault of the repository that they belong to. All throws `kms-key-unusable` when that cannot be opened now.
 */
export class KeptFindings {
  readonly #vaults: Vaults

  constructor(vaults: Vaults) {
    this.#vaults = vaults
  }

  /** A stretch of a scan's findings, in the order in which they are shown. */
  async read(
    view: MetadataReader,
    repository: Repository,
    { id }: Pick<Scan, 'id'>,
    from: number,
    limit: number,
  ): Promise<readonly ObservedFinding[]> {
    if (limit <= 0) return []
    const first = Math.floor(from / IN_PART)
    const texts = await this.#texts(view, repository, id, first, Math.floor((from + limit - 1) / IN_PART))
    const findings = texts.flatMap((text) => (JSON.parse(text) as WireFinding[]).map(withMoments))
    const start = from - first * IN_PART
    return findings.slice(start, start + limit)
  }

  /** All of a scan's findings from a position on, some hundred at a time. */
  async *stretches(
    view: MetadataReader,
    repository: Repository,
    scan: Pick<Scan, 'id' | 'findingCount'>,
    from = 0,
  ): AsyncGenerator<readonly ObservedFinding[]> {
    for (let at = from; at < scan.findingCount; ) {
      const end = (Math.floor(at / IN_PART) + PARTS_AT_ONCE) * IN_PART
      const found = await this.read(view, repository, scan, at, end - at)
      if (found.length === 0) return
      yield found
      at += found.length
    }
  }

  /** A scan's findings at once, for who compares them with others: all, or those in packages of some names. */
  async open(
    view: MetadataReader,
    repository: Repository,
    scanId: number,
    only?: ReadonlySet<string>,
  ): Promise<OpenedFindings> {
    const texts = await this.#texts(view, repository, scanId, 0, Number.MAX_SAFE_INTEGER)
    const findings: ObservedFinding[] = []
    const others: string[] = []
    for (const text of texts)
      for (const line of linesOf(text))
        if (only === undefined || only.has(packageNameOf(line))) findings.push(opened(line))
        else others.push(line)
    return { texts, findings, others }
  }

  /** Puts findings in the place of those that were opened; they are in the order in which that type of scan shows them. */
  async exchange(
    repository: Repository,
    { id, type }: Pick<Scan, 'id' | 'type'>,
    { texts: before, others }: OpenedFindings,
    findings: readonly ObservedFinding[],
  ): Promise<ExchangedFindings> {
    const lines = merged(type, others, findings)
    const parts: KeptPart[] = []
    let partCount = 0
    for (let from = 0; from < lines.length; from += IN_PART) {
      const part = partCount++
      const text = partOf(lines.slice(from, from + IN_PART))
      if (text !== before[part]) parts.push({ part, ...(await this.#seal(repository, partContext(id, part), text)) })
    }
    const isSame = parts.length === 0 && partCount === before.length
    return { change: isSame ? undefined : { partCount, parts }, findingCount: lines.length }
  }

  /** The same findings as they are to lie in the repository's vault. */
  async sealed(repository: Repository, scanId: number, parts: readonly KeptPart[]): Promise<readonly KeptPart[]> {
    const sealed: KeptPart[] = []
    for (const { part, ...document } of parts) {
      const context = partContext(scanId, part)
      const text = await this.#text(repository, context, document)
      sealed.push({ part, ...(await this.#seal(repository, context, text)) })
    }
    return sealed
  }

  /** What the present analyser found in an image. */
  async findInventory(view: MetadataReader, repository: Repository, imageId: number): Promise<Inventory | undefined> {
    const kept = await view.scans.findInventory(imageId, ANALYSER_VERSION)
    return kept && (JSON.parse(await this.#text(repository, inventoryContext(imageId), kept)) as Inventory)
  }

  async sealInventory(repository: Repository, imageId: number, inventory: Inventory): Promise<KeptDocument> {
    return await this.#seal(repository, inventoryContext(imageId), JSON.stringify(inventory))
  }

  /** JSON of each part. */
  async #texts(
    view: MetadataReader,
    repository: Repository,
    scanId: number,
    first: number,
    last: number,
  ): Promise<readonly string[]> {
    const texts: string[] = []
    for (const { part, ...document } of await view.scans.listParts(scanId, first, last))
      texts.push(await this.#text(repository, partContext(scanId, part), document))
    return texts
  }

  async #seal(repository: Repository, context: string, json: string): Promise<KeptDocument> {
    const vault = this.#vaults.vaultOf(repository)
    if (kmsKeyOf(vault) !== undefined) await this.#vaults.admit(repository, 'GenerateDataKey')
    return { vault, body: await this.#vaults.seal(vault, context, packed(json)) }
  }

  async #text(repository: Repository, context: string, { vault, body }: KeptDocument): Promise<string> {
    if (kmsKeyOf(vault) !== undefined) await this.#vaults.admit(repository, 'Decrypt')
    return unpacked(await this.#vaults.open(vault, context, body))
  }
}

function partContext(scanId: number, part: number): string {
  return `findings of scan ${scanId}, part ${part}`
}

function inventoryContext(imageId: number): string {
  return `inventory of image ${imageId}`
}

/** Lines and findings as one list; both are in order. Of the lines only those are read that a finding may stand beside. */
function merged(type: ScanType, others: readonly string[], findings: readonly ObservedFinding[]): readonly string[] {
  if (others.length === 0) return findings.map((finding) => JSON.stringify(finding))
  const lines: string[] = []
  let from = 0
  for (const finding of findings) {
    let [low, high] = [from, others.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if (compareShown(type, opened(others[middle] ?? ''), finding) < 0) low = middle + 1
      else high = middle
    }
    for (; from < low; from++) lines.push(others[from] ?? '')
    lines.push(JSON.stringify(finding))
  }
  return lines.concat(others.slice(from))
}

type WireMoments = Readonly<Record<'firstObservedAt' | 'changedAt', string>>
type WireFinding = Omit<ObservedFinding, 'firstObservedAt' | 'changedAt' | 'publishedAt' | 'modifiedAt' | 'status'> &
  WireMoments & {
    readonly publishedAt?: string
    readonly modifiedAt: string
    readonly status: Finding['status'] & { readonly until?: unknown }
  }

function opened(line: string): ObservedFinding {
  return withMoments(JSON.parse(line) as WireFinding)
}

/** Moments stand as text in JSON. The order of the members stays, so that the same finding is the same text again. */
function withMoments(wire: WireFinding): ObservedFinding {
  const { firstObservedAt, changedAt, publishedAt, modifiedAt, status } = wire
  return Object.assign(wire, {
    ...(typeof status.until === 'string' ? { status: { ...status, until: new Date(status.until) } } : { status }),
    ...(publishedAt === undefined ? { publishedAt } : { publishedAt: new Date(publishedAt) }),
    modifiedAt: new Date(modifiedAt),
    firstObservedAt: new Date(firstObservedAt),
    changedAt: new Date(changedAt),
  })
}
