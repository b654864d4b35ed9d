import { compareText } from '../versions/digits.ts'
import type { AdvisoryFacts, SeverityStatement } from './advisory.ts'
import { scoreOf } from './cvss.ts'
import { isDistribution, versionOrderOf } from './ecosystems.ts'
import type { Finding, KnownExploited, SourcedCvss } from './finding.ts'
import type { Hit } from './match.ts'
import { basicSeverity, enhancedSeverity, SEVERITIES } from './severity.ts'
import { databaseOf, urlOf } from './trackers.ts'

/** What is known of flaws beside which versions they are in. */
export interface FlawKnowledge {
  /** Every record that was hit. */
  advisory(id: string): AdvisoryFacts | undefined
  /** Vectors that any record has for the flaw of this id, and whose they are. */
  vectors(id: string): readonly (SeverityStatement & { readonly source: string })[]
  knownExploited(cve: string): KnownExploited | undefined
}

/**
 * Makes findings of hits: one for each flaw in each package, however many records there are of it. A distribution's record
 * about several CVEs makes one for each. The worst come first, then by package and id.
 */
export function findingsOf(hits: readonly Hit[], knowledge: FlawKnowledge): readonly Finding[] {
  const byPackage = Map.groupBy(hits, (hit) => hit.package)
  const findings = [...byPackage.values()].flatMap((own) =>
    flawsOf(own, knowledge).map((flaw) => findingOf(flaw, knowledge)),
  )
  return findings.sort(compareFindings)
}

/** The worst first, then by package and id. */
export function compareFindings(a: Finding, b: Finding): number {
  return (
    SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) ||
    compareText(a.package.name, b.package.name) ||
    compareText(a.id, b.id) ||
    compareText(a.package.filePath ?? '', b.package.filePath ?? '')
  )
}

/** The ids of one flaw, and the hits that are about it. */
interface Flaw {
  readonly ids: Set<string>
  readonly hits: KnownHit[]
}

interface KnownHit {
  readonly hit: Hit
  readonly advisory: AdvisoryFacts
}

const CVE = /^CVE-[0-9]{4}-[0-9]+$/

/** Hits of one package, put together where they share an id: a kernel has thousands. */
function flawsOf(hits: readonly Hit[], knowledge: FlawKnowledge): readonly Flaw[] {
  const byId = new Map<string, Flaw>()
  for (const hit of hits) {
    const advisory = knowledge.advisory(hit.advisoryId)
    if (advisory === undefined) continue
    for (const ids of flawIdsOf(hit, advisory)) {
      const known = new Set(ids.flatMap((id) => byId.get(id) ?? []))
      const [flaw = { ids: new Set<string>(), hits: [] }, ...others] = known
      for (const other of others) {
        flaw.hits.push(...other.hits)
        for (const id of other.ids) flaw.ids.add(id)
      }
      for (const id of ids) flaw.ids.add(id)
      flaw.hits.push({ hit, advisory })
      for (const id of others.length === 0 ? ids : flaw.ids) byId.set(id, flaw)
    }
  }
  return [...new Set(byId.values())]
}

/** The flaws that a record is about, each by all its ids. Its own id names the flaw only when it is about a single one. */
function flawIdsOf({ lookup }: Hit, { id, aliases, upstream, related }: AdvisoryFacts): readonly (readonly string[])[] {
  if (!isDistribution(lookup.ecosystem)) return [[id, ...aliases]]
  const stated = upstream.length > 0 ? upstream : related
  const cves = [...new Set([...aliases, ...stated].filter((one) => CVE.test(one)))]
  if (cves.length === 0) return [[id, ...aliases, ...upstream]]
  return cves.map((cve) => [cve])
}

function findingOf({ ids, hits }: Flaw, knowledge: FlawKnowledge): Finding {
  const id = primaryId(ids)
  const records = [...new Map(hits.map(({ advisory }) => [advisory.id, advisory])).values()].sort(
    (a, b) => Number(b.id.endsWith(id)) - Number(a.id.endsWith(id)) || compareText(a.id, b.id),
  )
  const [first] = hits
  const [record] = records
  if (first === undefined || record === undefined) throw new Error('A flaw has a record')
  const { package: found, lookup } = first.hit
  const compare = versionOrderOf(lookup.ecosystem) ?? compareText
  const vendorSeverity = wordOf(hits)
  const cvss = cvssOf(ids, hits, knowledge)
  const facts = { vendorSeverity, isDistribution: isDistribution(lookup.ecosystem), cvss }
  const knownExploited = [...ids].map((one) => knowledge.knownExploited(one)).find((one) => one !== undefined)
  const references = [
    ...new Map(records.flatMap((one) => one.references).map((reference) => [reference.url, reference])).values(),
  ]
  const described = records.find(({ details, summary }) => details !== '' || summary !== '') ?? record
  return {
    id,
    aliases: [...new Set([...ids, ...records.map((one) => one.id)])].filter((one) => one !== id).sort(),
    advisories: records
      .map((one) => ({ id: one.id, ecosystem: lookup.ecosystem, url: urlOf(one.id, lookup.ecosystem) }))
      .sort((a, b) => compareText(a.id, b.id)),
    package: found,
    vulnerableName: lookup.name,
    installedVersion: lookup.version,
    fixedVersions: [...new Set(hits.flatMap(({ hit }) => hit.fixedVersions))].sort(compare),
    severity: basicSeverity(facts),
    enhancedSeverity: enhancedSeverity(facts),
    vendorSeverity,
    cvss,
    title: described.summary,
    description: described.details || described.summary,
    url: urlOf(id, lookup.ecosystem),
    references,
    publishedAt: earliest(records.map((one) => one.publishedAt)),
    modifiedAt: new Date(Math.max(...records.map(({ modifiedAt }) => modifiedAt.getTime()))),
    knownExploited,
    isExploitAvailable: knownExploited !== undefined || references.some(({ type }) => type === 'EVIDENCE'),
    status: { kind: 'active' },
  }
}

/** The lowest CVE, else the lowest GitHub advisory, else the lowest id. */
function primaryId(ids: ReadonlySet<string>): string {
  const sorted = [...ids].sort()
  return sorted.find((id) => CVE.test(id)) ?? sorted.find((id) => id.startsWith('GHSA-')) ?? sorted[0] ?? ''
}

/** What is said of the very package counts more than what is said of the whole record. */
function wordOf(hits: readonly KnownHit[]): string | undefined {
  const statements = [
    ...hits.flatMap(({ hit }) => hit.affected.flatMap(({ severity }) => severity)),
    ...hits.flatMap(({ advisory }) => advisory.severity),
  ]
  return statements.find(({ kind }) => kind === 'word')?.value
}

const RANKS: readonly string[] = ['3.1', '3.0', '2.0', '4.0']

/** What the records themselves say, then what other databases know under the same ids, without repetition. */
function cvssOf(ids: ReadonlySet<string>, hits: readonly KnownHit[], knowledge: FlawKnowledge): readonly SourcedCvss[] {
  const own = hits.flatMap(({ hit, advisory }) =>
    [...hit.affected.flatMap(({ severity }) => severity), ...advisory.severity].map((statement) => ({
      ...statement,
      source: databaseOf(advisory.id),
    })),
  )
  // The record of several flaws has one vector for all of them: what is known of this very one comes first.
  const isShared = hits.every(
    ({ advisory }) => !ids.has(advisory.id) && advisory.upstream.length + advisory.related.length > 1,
  )
  const learned = [...ids].sort().flatMap((id) => knowledge.vectors(id))
  const scores = new Map<string, SourcedCvss>()
  for (const { source, ...statement } of isShared ? [...learned, ...own] : [...own, ...learned]) {
    const score = scoreOf(statement)
    if (score !== undefined && !scores.has(score.vector)) scores.set(score.vector, { ...score, source })
  }
  return [...scores.values()].sort((a, b) => RANKS.indexOf(a.version) - RANKS.indexOf(b.version))
}

function earliest(moments: readonly (Date | undefined)[]): Date | undefined {
  const known = moments.filter((moment) => moment !== undefined)
  return known.length === 0 ? undefined : new Date(Math.min(...known.map((moment) => moment.getTime())))
}
