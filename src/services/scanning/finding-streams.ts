import { applySuppressions } from '../../domain/advisories/suppressions.ts'
import { applyVex } from '../../domain/advisories/vex.ts'
import type { Image } from '../../domain/image.ts'
import type { Repository } from '../../domain/repository.ts'
import type { ScanType } from '../../domain/scanning/configuration.ts'
import { basicIdentityOf, compareShown } from '../../domain/scanning/finding-lists.ts'
import type { ObservedFinding, Scan } from '../../domain/scanning/scan.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader } from '../../stores/metadata.ts'
import type { KeptFindings } from './kept-findings.ts'
import type { VexDocuments } from './vex-documents.ts'

/** What sets findings of a scan aside at a moment. */
export interface Judgement {
  /** Another one when it may say something else; empty: nothing is set aside. */
  readonly key: string
  judge(findings: readonly ObservedFinding[]): readonly ObservedFinding[]
}

/** Findings in the order in which they are shown, some hundred in memory at a time, with what is said of them by now. */
export class FindingStreams {
  readonly #kept: KeptFindings
  readonly #vex: VexDocuments
  readonly #clock: Clock

  constructor(kept: KeptFindings, vex: VexDocuments, clock: Clock) {
    this.#kept = kept
    this.#vex = vex
    this.#clock = clock
  }

  /** What documents that are attached to the image, and the rules of the registry, say of a scan's findings. */
  async judgementOf(
    view: MetadataReader,
    repository: Repository,
    scan: Scan,
    image: Pick<Image, 'digest'>,
  ): Promise<Judgement> {
    const now = this.#clock.now()
    const all = scan.findingCount === 0 ? [] : await view.suppressions.list(repository.registry)
    const rules = all.filter(({ expiresAt }) => expiresAt === undefined || expiresAt > now)
    const attached = scan.findingCount === 0 ? undefined : await this.#vex.attachedTo(repository, image.digest)
    if (rules.length === 0 && attached === undefined) return { key: '', judge: (findings) => findings }
    const said = JSON.stringify([rules, attached])
    return {
      key: Bun.hash(said).toString(36),
      judge: (findings) => {
        const stated = attached === undefined ? findings : applyVex(findings, attached)
        const judged = applySuppressions(stated, rules, repository.name, now)
        return findings.map((finding, index) => ({ ...finding, status: judged[index]?.status ?? finding.status }))
      },
    }
  }

  /** A stretch of a scan's findings of which nothing is set aside. */
  async read(
    view: MetadataReader,
    repository: Repository,
    scan: Scan,
    from: number,
    limit: number,
  ): Promise<readonly ObservedFinding[]> {
    return await this.#kept.read(view, repository, scan, from, limit)
  }

  /** The findings of a scan from a position on. */
  async *of(
    view: MetadataReader,
    repository: Repository,
    scan: Scan,
    image: Pick<Image, 'digest'>,
    from = 0,
  ): AsyncGenerator<readonly ObservedFinding[]> {
    const { judge } = await this.judgementOf(view, repository, scan, image)
    for await (const stretch of this.#kept.stretches(view, repository, scan, from)) yield judge(stretch)
  }

  /**
   * The findings of several scans as one list. Basic ones do not show what is set aside, and each flaw once for all images
   * together.
   */
  async *joined(
    view: MetadataReader,
    repository: Repository,
    scans: readonly (readonly [Scan, Pick<Image, 'digest'>])[],
    type: ScanType,
  ): AsyncGenerator<readonly [ObservedFinding, Scan]> {
    const heads: Head[] = []
    for (const [scan, image] of scans) {
      const findings = flat(this.of(view, repository, scan, image))
      const { done, value } = await findings.next()
      if (done !== true) heads.push({ scan, findings, finding: value })
    }
    const seen = new Set<string>()
    for (;;) {
      const [first] = heads
      if (first === undefined) return
      const head = heads.reduce((best, one) => (compareShown(type, one.finding, best.finding) < 0 ? one : best), first)
      const { finding, scan, findings } = head
      const { done, value } = await findings.next()
      if (done === true) heads.splice(heads.indexOf(head), 1)
      else head.finding = value
      if (type === 'BASIC') {
        if (finding.status.kind !== 'active') continue
        if (scans.length > 1) {
          const identity = basicIdentityOf(finding)
          if (seen.has(identity)) continue
          seen.add(identity)
        }
      }
      yield [finding, scan]
    }
  }
}

/** How far one of several lists has been shown. */
interface Head {
  readonly scan: Scan
  readonly findings: AsyncGenerator<ObservedFinding>
  finding: ObservedFinding
}

async function* flat(stretches: AsyncIterable<readonly ObservedFinding[]>): AsyncGenerator<ObservedFinding> {
  for await (const stretch of stretches) yield* stretch
}
