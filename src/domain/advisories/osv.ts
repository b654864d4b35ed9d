import { listOf, objectOf, textOf } from '../json-values.ts'
import type {
  Advisory,
  AdvisoryReference,
  AffectedPackage,
  AffectedRange,
  RangeEvent,
  RangeEventKind,
  SeverityStatement,
} from './advisory.ts'
import { canonicalEcosystem, canonicalName, isDistribution } from './ecosystems.ts'

/** A text that is no OSV record, with the reason in one sentence. */
export class NoOsvRecord extends Error {
  override readonly name = 'NoOsvRecord'
}

const DETAILS_LENGTH_MAX = 8_000
const REFERENCES_MAX = 100
/** The words by which distributions begin a summary: `Important: curl security update`. */
const SUMMARY_WORD = /^(critical|important|moderate|low)\b/i
/** `nodejs:18 security update` */
const SUMMARY_STREAM = /(?:^|\s)([A-Za-z][\w.+-]*:[\w.+-]+)(?=\s)/
const MODULAR = /\.module[_+]/

/**
 * Reads a record of the OSV schema 1.x. What is missing or malformed beside id and affected packages is left out: a real
 * database has such records, and one bad reference must not hide a flaw. Throws `NoOsvRecord`.
 */
export function parseOsv(value: unknown): Advisory {
  const record = objectOf(value)
  if (record === undefined) throw new NoOsvRecord('An OSV record is a JSON object.')
  const id = textOf(record.id)
  if (id === undefined || id.length > 200) throw new NoOsvRecord('An OSV record has an id.')
  const modifiedAt = momentOf(record.modified)
  if (modifiedAt === undefined) throw new NoOsvRecord(`The record ${id} does not say when it was modified.`)
  const summary = textOf(record.summary) ?? ''
  const own = severityOf(record)
  return {
    id,
    modifiedAt,
    publishedAt: momentOf(record.published),
    // A moment that cannot be read withdraws it all the same.
    withdrawnAt: textOf(record.withdrawn) === undefined ? undefined : (momentOf(record.withdrawn) ?? modifiedAt),
    aliases: textsOf(record.aliases),
    upstream: textsOf(record.upstream),
    related: textsOf(record.related),
    summary,
    details: (textOf(record.details) ?? '').slice(0, DETAILS_LENGTH_MAX),
    severity: own.some(({ kind }) => kind === 'word') ? own : [...own, ...wordOfSummary(summary)],
    affected: listOf(record.affected).flatMap((entry) => affectedOf(entry, summary)),
    references: listOf(record.references).flatMap(referenceOf).slice(0, REFERENCES_MAX),
  }
}

function affectedOf(value: unknown, summary: string): readonly AffectedPackage[] {
  const entry = objectOf(value) ?? {}
  const pack = objectOf(entry.package)
  const [stated, name] = [textOf(pack?.ecosystem), textOf(pack?.name)]
  if (stated === undefined || name === undefined) return []
  const ecosystem = canonicalEcosystem(stated)
  const ranges = listOf(entry.ranges).flatMap(rangeOf)
  const hasEvaluableRange = ranges.some(({ type }) => type !== 'GIT')
  const isModular = ranges.some(({ events }) => events.some(({ version }) => MODULAR.test(version)))
  return [
    {
      ecosystem,
      name: canonicalName(ecosystem, name),
      ranges,
      versions: hasEvaluableRange && isDistribution(ecosystem) ? [] : versionsOf(entry.versions),
      severity: severityOf(entry),
      moduleStream: isModular ? SUMMARY_STREAM.exec(summary)?.[1] : undefined,
    },
  ]
}

function rangeOf(value: unknown): readonly AffectedRange[] {
  const range = objectOf(value)
  const type = range?.type
  if (type !== 'SEMVER' && type !== 'ECOSYSTEM' && type !== 'GIT') return []
  return [{ type, events: listOf(range?.events).flatMap(eventsOf) }]
}

const EVENT_KINDS: readonly RangeEventKind[] = ['introduced', 'fixed', 'last_affected', 'limit']

/** One member makes one event; a record with several of them in one object is read as if they stood one by one. */
function eventsOf(value: unknown): readonly RangeEvent[] {
  const event = objectOf(value) ?? {}
  return EVENT_KINDS.flatMap((kind) => {
    const version = versionOf(event[kind])
    return version === undefined ? [] : [{ kind, version }]
  })
}

function severityOf(holder: Readonly<Record<string, unknown>>): readonly SeverityStatement[] {
  const vectors = listOf(holder.severity).flatMap((value): readonly SeverityStatement[] => {
    const statement = objectOf(value)
    const [type, score] = [textOf(statement?.type), textOf(statement?.score)]
    if (type === undefined || score === undefined) return []
    if (type === 'CVSS_V2' || type === 'CVSS_V3' || type === 'CVSS_V4') return [{ kind: type, value: score }]
    return [{ kind: 'word', value: score }]
  })
  const word =
    wordIn(holder.ecosystem_specific, 'urgency') ??
    wordIn(holder.ecosystem_specific, 'severity') ??
    wordIn(holder.ecosystem_specific, 'ubuntu_priority') ??
    wordIn(holder.database_specific, 'severity')
  return word === undefined || vectors.some(({ kind }) => kind === 'word')
    ? vectors
    : [...vectors, { kind: 'word', value: word }]
}

function wordIn(holder: unknown, member: string): string | undefined {
  const word = textOf(objectOf(holder)?.[member])
  return word !== undefined && word.length <= 40 ? word : undefined
}

function wordOfSummary(summary: string): readonly SeverityStatement[] {
  const word = SUMMARY_WORD.exec(summary)?.[1]
  return word === undefined || !/^\w+: /.test(summary) ? [] : [{ kind: 'word', value: word }]
}

function referenceOf(value: unknown): readonly AdvisoryReference[] {
  const reference = objectOf(value)
  const url = textOf(reference?.url)
  return url !== undefined && /^https?:\/\//i.test(url) ? [{ type: textOf(reference?.type) ?? 'WEB', url }] : []
}

function textsOf(value: unknown): readonly string[] {
  return [...new Set(listOf(value).filter((one) => typeof one === 'string' && one !== ''))] as string[]
}

function versionsOf(value: unknown): readonly string[] {
  return listOf(value).flatMap((one) => versionOf(one) ?? [])
}

/** Converters from YAML have made numbers of some versions. */
function versionOf(value: unknown): string | undefined {
  return typeof value === 'number' ? String(value) : textOf(value)
}

/** Before the calendar of computers, a moment is none: some databases write the year 1 for unknown. */
function momentOf(value: unknown): Date | undefined {
  const text = textOf(value)
  if (text === undefined) return undefined
  const moment = new Date(text)
  return Number.isNaN(moment.getTime()) || moment.getTime() < 0 ? undefined : moment
}
