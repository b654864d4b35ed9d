import type { Finding } from '../../domain/advisories/finding.ts'
import { applySuppressions } from '../../domain/advisories/suppressions.ts'
import { applyVex } from '../../domain/advisories/vex.ts'
import { type EventPattern, matchesEvent, parseEventPattern } from '../../domain/eventbridge/pattern.ts'
import { inspectorFinding, type RegistryEvent } from '../../domain/events.ts'
import type { Registry } from '../../domain/names.ts'
import type { ObservedFinding, Scan } from '../../domain/scanning/scan.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { PendingScan } from '../../stores/scans.ts'
import { envelopeOf } from '../events/event-envelope.ts'
import { enhancedFinding, inspectorDetail, statusOf } from './enhanced-findings.ts'
import type { VexDocuments } from './vex-documents.ts'

/**
 * Tells of findings of enhanced scans that came, changed or were closed, as Inspector does. An image has hundreds of them, so
 * that only those are told that a rule waits for: the log of events is for what somebody wants to know.
 */
export class FindingEvents {
  readonly #metadata: MetadataStore
  readonly #vex: VexDocuments
  readonly #clock: Clock

  constructor(metadata: MetadataStore, vex: VexDocuments, clock: Clock) {
    this.#metadata = metadata
    this.#vex = vex
    this.#clock = clock
  }

  /** What is to be told of a scan whose findings are now `after`, to be written down with them. */
  async of(
    { image, repository }: Pick<PendingScan, 'image' | 'repository'>,
    before: readonly ObservedFinding[],
    after: readonly ObservedFinding[],
    { platform, architecture }: Pick<Scan, 'platform' | 'architecture'>,
  ): Promise<readonly RegistryEvent[]> {
    const patterns = await this.#patternsOf(repository.registry)
    if (patterns.length === 0) return []
    const at = this.#clock.now()
    const earlier = new Map(before.map((finding) => [identityOf(finding), finding]))
    const changed: ObservedFinding[] = []
    for (const finding of after) {
      const known = earlier.get(identityOf(finding))
      earlier.delete(identityOf(finding))
      if (known === undefined || known.changedAt.getTime() !== finding.changedAt.getTime()) changed.push(finding)
    }
    const { view } = this.#metadata
    const tagged = { ...image, tags: await view.images.tagsOf(image.id) }
    const attached = await this.#vex.attachedTo(repository, image.digest)
    const rules = await view.suppressions.list(repository.registry)
    const stated = attached === undefined ? changed : applyVex(changed, attached)
    const judged = applySuppressions(stated, rules, repository.name, at)
    const told = [
      ...changed.map((finding, index) => ({ finding, status: statusOf(judged[index] ?? finding) })),
      ...[...earlier.values()].map((finding) => ({ finding, status: 'CLOSED' as const })),
    ]
    return told
      .map(({ finding, status }) => {
        const shown = { finding, image: tagged, scan: { platform, architecture, completedAt: at } }
        const detail = inspectorDetail({ ...enhancedFinding(repository, shown), status }, repository.registry)
        return inspectorFinding(repository.registry, detail.resources[0]?.id ?? '', detail, at)
      })
      .filter((event) => patterns.some((pattern) => matchesEvent(pattern, envelopeOf({ ...event, position: 0 }))))
  }

  async #patternsOf({ registryId, region }: Registry): Promise<readonly EventPattern[]> {
    const active = await this.#metadata.view.eventRules.listActive()
    const texts = active
      .map(({ rule }) => rule)
      .filter((rule) => rule.registry.registryId === registryId && rule.registry.region === region)
      .map(({ pattern }) => pattern)
    return [...new Set(texts)].map(parseEventPattern)
  }
}

/** What makes a finding of an image the same one in the next scan. */
export function identityOf({ id, package: found, installedVersion }: Finding): string {
  return JSON.stringify([id, found.type, found.name, installedVersion, found.filePath, found.arch])
}
