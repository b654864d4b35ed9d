import type { Finding } from '../../domain/advisories/finding.ts'
import { ANALYSER_VERSION } from '../../domain/inventory/analyser-version.ts'
import type { Inventory } from '../../domain/inventory/package.ts'
import type { Repository } from '../../domain/repository.ts'
import type { ObservedFinding, Scan } from '../../domain/scanning/scan.ts'
import { kmsKeyOf } from '../../domain/vault.ts'
import { packed, unpacked } from '../../lib/packed-json.ts'
import type { MetadataReader } from '../../stores/metadata.ts'
import type { FindingsChange, KeptDocument, KeptPart } from '../../stores/scans.ts'
import type { Vaults } from '../encryption/vaults.ts'

/** How many findings are kept together. */
const IN_PART = 100
/** How many parts are in memory at once. */
const PARTS_AT_ONCE = 5

/** The findings of a scan as they lie, opened. */
export interface OpenedFindings {
  /** JSON of each part. */
  readonly texts: readonly string[]
  readonly findings: readonly ObservedFinding[]
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
    const { findings } = await this.#open(view, repository, id, first, Math.floor((from + limit - 1) / IN_PART))
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

  /** All of a scan's findings at once: for who compares them with others. */
  async open(view: MetadataReader, repository: Repository, scanId: number): Promise<OpenedFindings> {
    return await this.#open(view, repository, scanId, 0, Number.MAX_SAFE_INTEGER)
  }

  /** What is to be kept other than before; `undefined`: the findings are the same. */
  async change(
    repository: Repository,
    scanId: number,
    before: readonly string[],
    findings: readonly ObservedFinding[],
  ): Promise<FindingsChange | undefined> {
    const texts: string[] = []
    for (let from = 0; from < findings.length; from += IN_PART)
      texts.push(JSON.stringify(findings.slice(from, from + IN_PART)))
    const parts: KeptPart[] = []
    for (const [part, text] of texts.entries())
      if (text !== before[part])
        parts.push({ part, ...(await this.#seal(repository, partContext(scanId, part), text)) })
    return parts.length === 0 && texts.length === before.length ? undefined : { partCount: texts.length, parts }
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

  async #open(
    view: MetadataReader,
    repository: Repository,
    scanId: number,
    first: number,
    last: number,
  ): Promise<OpenedFindings> {
    const texts: string[] = []
    const findings: ObservedFinding[] = []
    for (const { part, ...document } of await view.scans.listParts(scanId, first, last)) {
      const text = await this.#text(repository, partContext(scanId, part), document)
      texts.push(text)
      for (const one of JSON.parse(text) as WireFinding[]) findings.push(withMoments(one))
    }
    return { texts, findings }
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

type WireMoments = Readonly<Record<'firstObservedAt' | 'changedAt', string>>
type WireFinding = Omit<ObservedFinding, 'firstObservedAt' | 'changedAt' | 'publishedAt' | 'modifiedAt' | 'status'> &
  WireMoments & {
    readonly publishedAt?: string
    readonly modifiedAt: string
    readonly status: Finding['status'] & { readonly until?: unknown }
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
