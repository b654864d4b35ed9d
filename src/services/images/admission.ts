import { type AdmissionFacts, type AdmissionFinding, refusalOf } from '../../domain/admission/decide.ts'
import { admissionDenied, admissionReason } from '../../domain/admission/errors.ts'
import { type AdmissionRule, isExemptDigest, isExemptPrincipal, reaches, ruleFor } from '../../domain/admission/rule.ts'
import { isRunnable } from '../../domain/admission/subject.ts'
import { repositoryArn } from '../../domain/arn.ts'
import type { Digest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import { parseManifest } from '../../domain/manifest.ts'
import type { Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { Repository } from '../../domain/repository.ts'
import { scanningOf } from '../../domain/scanning/configuration.ts'
import { nameIn, severityIn } from '../../domain/scanning/finding-lists.ts'
import { dataFailure, lagOf, sourceUpdatedAtOf } from '../../domain/scanning/judge.ts'
import type { Scan } from '../../domain/scanning/scan.ts'
import { isEligible, type ScanDurations } from '../../domain/scanning/status.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Matching } from '../advisories/matching.ts'
import type { Vaults } from '../encryption/vaults.ts'
import type { FindingStreams } from '../scanning/finding-streams.ts'
import { scanConfigurationOf } from '../scanning/scan-configurations.ts'

/** A pull that a rule does not let through. */
export interface RefusedPull {
  readonly principal: Principal
  readonly repository: Repository
  readonly digest: Digest
  readonly reason: string
  /** It was let through all the same. */
  readonly isDryRun: boolean
}

export interface AdmissionSettings {
  readonly durations: ScanDurations
  onRefused?(pull: RefusedPull): void
}

/** What was worked out of findings holds so long: by then rules that set findings aside may have expired. */
const REMEMBERED_MS = 10_000
const REMEMBERED_MAX = 5_000
const STEP = 50

/** What pulls are judged by. */
export interface AdmissionParts {
  readonly metadata: MetadataStore
  readonly vaults: Vaults
  readonly findings: FindingStreams
  readonly matching: Matching
  readonly clock: Clock
}

/**
 * Decides which images may be pulled, for both interfaces and for layers as for manifests. What is not known to be fine is
 * refused. Where a registry has no rules, the decision costs nothing; where it has some, two lookups.
 */
export class Admission {
  readonly #metadata: MetadataStore
  readonly #vaults: Vaults
  readonly #findings: FindingStreams
  readonly #matching: Matching
  readonly #clock: Clock
  readonly #settings: AdmissionSettings
  #revision = -1
  readonly #rules = new Map<string, readonly AdmissionRule[]>()
  /** By digest, which says all of a manifest. */
  readonly #runnable = new Map<Digest, boolean>()
  readonly #found = new Map<string, { readonly at: number; readonly findings: readonly AdmissionFinding[] }>()
  readonly #layers = new Map<string, number>()

  constructor(parts: AdmissionParts, settings: AdmissionSettings) {
    this.#metadata = parts.metadata
    this.#vaults = parts.vaults
    this.#findings = parts.findings
    this.#matching = parts.matching
    this.#clock = parts.clock
    this.#settings = settings
  }

  /** Why the caller may not pull an image, `undefined` when he may. `manifest` as it was pushed. */
  async refusal(
    principal: Principal,
    repository: Repository,
    image: Image,
    manifest: Uint8Array,
  ): Promise<string | undefined> {
    const rule = await this.#ruleFor(principal, repository)
    if (rule === undefined) return undefined
    this.#remember(this.#runnable, image.digest, isRunnable(parseManifest(manifest, image.mediaType)))
    const reason = await this.#refusalBy(rule, repository, image)
    if (reason === undefined) return undefined
    const { digest } = image
    this.#settings.onRefused?.({ principal, repository, digest, reason, isDryRun: rule.isDryRun })
    principal.circumstances.decided?.({
      action: 'ecr:BatchGetImage',
      resource: repositoryArn(repository),
      outcome: 'denied',
      by: 'admission',
      policy: rule.repositories,
      isEnforced: !rule.isDryRun,
    })
    return rule.isDryRun ? undefined : reason
  }

  /** Throws `access-denied` when the caller may not pull an image. */
  async admit(principal: Principal, repository: Repository, image: Image, manifest: Uint8Array): Promise<void> {
    const reason = await this.refusal(principal, repository, image, manifest)
    if (reason !== undefined) throw admissionDenied(reason, image.digest, repository)
  }

  /** Throws `access-denied` for a layer that every image which needs it is refused for. */
  async admitLayer(principal: Principal, repository: Repository, digest: Digest): Promise<void> {
    const reason = await this.layerRefusal(principal, repository, digest)
    if (reason !== undefined) throw admissionDenied(reason, digest, repository)
  }

  /** The same as an answer. A layer that no image needs is nobody's to run. */
  async layerRefusal(principal: Principal, repository: Repository, digest: Digest): Promise<string | undefined> {
    const rule = await this.#ruleFor(principal, repository)
    if (rule === undefined || rule.isDryRun) return undefined
    const now = this.#clock.now().getTime()
    const key = `${repository.id} ${digest}`
    if (isRecent(this.#layers.get(key), now)) return undefined
    let reason: string | undefined
    for (let after: number | undefined; ; ) {
      const page = await this.#metadata.view.images.listNeeding(repository.id, digest, { after, limit: STEP })
      for (const image of page) {
        reason = await this.#refusalBy(rule, repository, image)
        if (reason === undefined) break
      }
      after = page.at(-1)?.id
      if (page.length < STEP || reason === undefined) break
    }
    // A refusal is not remembered: the scan that ends it may be under way.
    if (reason === undefined) this.#remember(this.#layers, key, now)
    return reason
  }

  /** The rule that concerns the caller here. */
  async #ruleFor({ arn, identityArn }: Principal, { registry, name }: Repository): Promise<AdmissionRule | undefined> {
    if (isPublic(registry)) return undefined
    const rules = await this.#rulesOf(registry)
    const rule = rules.length === 0 ? undefined : ruleFor(rules, name)
    return rule === undefined || isExemptPrincipal(rule, [arn, identityArn]) ? undefined : rule
  }

  async #rulesOf(registry: Registry): Promise<readonly AdmissionRule[]> {
    const { policyRevision } = this.#metadata
    if (policyRevision !== this.#revision) {
      for (const kept of [this.#rules, this.#found, this.#layers]) kept.clear()
      this.#revision = policyRevision
    }
    const key = `${registry.registryId} ${registry.region}`
    const known = this.#rules.get(key)
    if (known !== undefined) return known
    const rules = await this.#metadata.view.admission.list(registry)
    // They may have changed meanwhile.
    if (policyRevision === this.#metadata.policyRevision) this.#remember(this.#rules, key, rules)
    return rules
  }

  async #refusalBy(rule: AdmissionRule, repository: Repository, image: Image): Promise<string | undefined> {
    const now = this.#clock.now()
    if (isExemptDigest(rule, image.digest, now) || !(await this.#isRunnable(repository, image))) return undefined
    const reason = refusalOf(rule, await this.#factsOf(rule, repository, image, now), now)
    return reason && admissionReason(rule, reason)
  }

  async #isRunnable(repository: Repository, { id, digest, mediaType }: Image): Promise<boolean> {
    const known = this.#runnable.get(digest)
    if (known !== undefined) return known
    const found = (await this.#metadata.view.images.resolve(repository, { digest }))?.found
    // Gone meanwhile: with it the wish to let anybody have it.
    if (found?.image.id !== id) return true
    const answer = isRunnable(parseManifest(await this.#vaults.openManifest(found), mediaType))
    this.#remember(this.#runnable, digest, answer)
    return answer
  }

  async #factsOf(rule: AdmissionRule, repository: Repository, image: Image, now: Date): Promise<AdmissionFacts> {
    const { view } = this.#metadata
    const scanning = scanningOf(await scanConfigurationOf(view, repository.registry), repository)
    const scan = await view.scans.find(image.id, scanning.type)
    if (scan?.completedAt === undefined) return { state: 'none' }
    if (scan.failure !== undefined) return { state: 'failed', reason: scan.failure.reason }
    const { completedAt } = scan
    const isFollowed =
      scan.type === 'ENHANCED' &&
      scanning.frequency === 'CONTINUOUS_SCAN' &&
      isEligible(image, now, this.#settings.durations)
    const findings = await this.#findingsOf(rule, repository, image, scan, now)
    if (!isFollowed) return { state: 'done', asOf: completedAt, findings }
    const coverage = await this.#matching.presentCoverage(scan.coverage)
    const lack = lagOf(scan) ?? dataFailure(coverage)
    if (lack !== undefined) return { state: 'failed', reason: lack.reason }
    // What is followed holds for the state of the world that its advisories describe.
    const asOf = sourceUpdatedAtOf(coverage) ?? completedAt
    return { state: 'done', asOf: asOf > completedAt ? asOf : completedAt, findings }
  }

  /** Those that count, of the severities that the rule refuses. */
  async #findingsOf(
    { severity: limit }: AdmissionRule,
    repository: Repository,
    image: Image,
    scan: Scan,
    now: Date,
  ): Promise<readonly AdmissionFinding[]> {
    if (limit === undefined) return []
    const { id, generation, type, counts } = scan
    if (!Object.keys(counts).some((severity) => reaches(severity as keyof typeof counts, limit))) return []
    const key = `${id} ${generation} ${limit}`
    const known = this.#found.get(key)
    if (known !== undefined && isRecent(known.at, now.getTime())) return known.findings
    const findings = await this.#metadata.read(async (view) => {
      const found: AdmissionFinding[] = []
      for await (const stretch of this.#findings.of(view, repository, scan, image)) {
        const bad = stretch.filter((one) => reaches(severityIn(type, one), limit))
        for (const one of bad)
          if (one.status.kind === 'active')
            found.push({
              id: one.id,
              packageName: nameIn(type, one),
              severity: severityIn(type, one),
              isFixable: one.fixedVersions.length > 0,
            })
        // The worst come first: behind these there are only milder ones.
        if (bad.length < stretch.length) break
      }
      return found
    })
    this.#remember(this.#found, key, { at: now.getTime(), findings })
    return findings
  }

  #remember<Key, Value>(kept: Map<Key, Value>, key: Key, value: Value): void {
    if (kept.size >= REMEMBERED_MAX && !kept.has(key)) kept.clear()
    kept.set(key, value)
  }
}

/** Not from a clock that was ahead, either. */
function isRecent(at: number | undefined, now: number): boolean {
  return at !== undefined && at <= now && now - at < REMEMBERED_MS
}
