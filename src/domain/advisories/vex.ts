import { listOf, objectOf, textOf } from '../json-values.ts'
import type { Finding } from './finding.ts'

/** What a supplier says of a flaw in a product. */
export type VexStatus = 'not_affected' | 'affected' | 'fixed' | 'under_investigation'

export interface VexStatement {
  /** All names of the flaw. */
  readonly vulnerabilities: readonly string[]
  /** Package URLs and other identifiers of what it is about; empty: of whatever the document is attached to. */
  readonly products: readonly VexProduct[]
  readonly status: VexStatus
  /** `component_not_present`, `vulnerable_code_not_in_execute_path`, … */
  readonly justification?: string | undefined
  readonly impact?: string | undefined
  readonly action?: string | undefined
  readonly statedAt: Date
}

export interface VexProduct {
  readonly id: string
  /** Parts of the product that it is about; empty: the product itself. */
  readonly subcomponents: readonly string[]
}

/** An OpenVEX document. */
export interface VexDocument {
  readonly id: string
  readonly author: string
  readonly statements: readonly VexStatement[]
}

/** A text that is no OpenVEX document, with the reason in one sentence. */
export class NoVexDocument extends Error {
  override readonly name = 'NoVexDocument'
}

const STATUSES: readonly VexStatus[] = ['not_affected', 'affected', 'fixed', 'under_investigation']
const STATEMENTS_MAX = 10_000

/**
 * Reads an OpenVEX document (https://github.com/openvex/spec, 0.0.1 and 0.2.0). A statement that cannot be read makes it
 * none: half of what a supplier says could mean the opposite. Throws `NoVexDocument`.
 */
export function parseVex(value: unknown): VexDocument {
  const document = objectOf(value)
  const context = textOf(document?.['@context'])
  if (document === undefined || context === undefined || !/^https:\/\/openvex\.dev\/ns(\/|$)/.test(context))
    throw new NoVexDocument('It is no OpenVEX document: its @context is not that of OpenVEX.')
  const id = textOf(document['@id'])
  if (id === undefined) throw new NoVexDocument('An OpenVEX document has an @id.')
  const statements = listOf(document.statements)
  if (statements.length > STATEMENTS_MAX)
    throw new NoVexDocument(`An OpenVEX document may have ${STATEMENTS_MAX} statements at most.`)
  const fallback = momentOf(document.timestamp)
  return {
    id,
    author: textOf(document.author) ?? '',
    statements: statements.map((statement, at) => statementOf(statement, at + 1, fallback)),
  }
}

function statementOf(value: unknown, number: number, fallback: Date | undefined): VexStatement {
  const refuse = (reason: string) => new NoVexDocument(`Statement ${number}: ${reason}`)
  const statement = objectOf(value)
  if (statement === undefined) throw refuse('it is no object.')
  const status = STATUSES.find((one) => one === statement.status)
  if (status === undefined) throw refuse(`its status must be one of ${STATUSES.join(', ')}.`)
  const vulnerabilities = namesOf(statement.vulnerability)
  if (vulnerabilities.length === 0) throw refuse('it names no vulnerability.')
  const [justification, impact] = [textOf(statement.justification), textOf(statement.impact_statement)]
  if (status === 'not_affected' && justification === undefined && impact === undefined)
    throw refuse('not_affected needs a justification or an impact_statement.')
  const statedAt = momentOf(statement.last_updated) ?? momentOf(statement.timestamp) ?? fallback
  if (statedAt === undefined) throw refuse('neither it nor the document has a timestamp.')
  return {
    vulnerabilities,
    products: listOf(statement.products).map((product) => productOf(product, refuse)),
    status,
    justification,
    impact,
    action: textOf(statement.action_statement),
    statedAt,
  }
}

function namesOf(value: unknown): readonly string[] {
  const text = textOf(value)
  if (text !== undefined) return [text]
  const vulnerability = objectOf(value)
  const names = [vulnerability?.name, ...listOf(vulnerability?.aliases)]
  return names.flatMap((name) => textOf(name) ?? [])
}

function productOf(value: unknown, refuse: (reason: string) => NoVexDocument): VexProduct {
  const id = textOf(value) ?? identifierOf(value)
  if (id === undefined) throw refuse('a product has no identifier.')
  const subcomponents = listOf(objectOf(value)?.subcomponents).map((part) => {
    const identifier = textOf(part) ?? identifierOf(part)
    if (identifier === undefined) throw refuse('a subcomponent has no identifier.')
    return identifier
  })
  return { id, subcomponents }
}

function identifierOf(value: unknown): string | undefined {
  const component = objectOf(value)
  return textOf(objectOf(component?.identifiers)?.purl) ?? textOf(component?.['@id'])
}

/** What statements of a document can be about, beside packages: the image by what it is called. */
export interface VexSubject {
  /** `pkg:oci/…` and digests that name the image, or an index that lists it. */
  readonly identifiers: readonly string[]
}

/** A document and what it is attached to. */
export interface AttachedDocument {
  readonly document: VexDocument
  readonly subject: VexSubject
}

/**
 * Applies documents to findings: of the statements that concern a finding the latest counts; `not_affected` and `fixed`
 * suppress it, with the supplier's reason kept, `affected` and `under_investigation` do not. Findings that are suppressed
 * already stay so.
 */
export function applyVex(findings: readonly Finding[], attached: readonly AttachedDocument[]): readonly Finding[] {
  const statements = attached
    .flatMap(({ document, subject }) =>
      document.statements.map((statement) => ({ source: document.id, statement, subject })),
    )
    .toSorted((a, b) => b.statement.statedAt.getTime() - a.statement.statedAt.getTime() || caution(b) - caution(a))
  return findings.map((finding) => {
    if (finding.status.kind === 'suppressed') return finding
    const found = statements.find(({ statement, subject }) => concerns(statement, finding, subject))
    if (found === undefined || !suppresses(found.statement)) return finding
    const { status, justification, impact } = found.statement
    const reason = [status, justification, impact].filter((part) => part !== undefined).join(': ')
    return { ...finding, status: { kind: 'suppressed', by: 'vex', source: found.source, reason } }
  })
}

function suppresses({ status }: VexStatement): boolean {
  return status === 'not_affected' || status === 'fixed'
}

/** Of statements of one moment, what leaves a finding as it is comes first. */
function caution({ statement }: { readonly statement: VexStatement }): number {
  return suppresses(statement) ? 0 : 1
}

function concerns({ vulnerabilities, products }: VexStatement, finding: Finding, subject: VexSubject): boolean {
  const ids = [finding.id, ...finding.aliases]
  if (!vulnerabilities.some((name) => ids.includes(name))) return false
  if (products.length === 0) return true
  return products.some(({ id, subcomponents }) => {
    if (isMeant(id, finding.package.purl)) return subcomponents.length === 0
    if (!subject.identifiers.some((identifier) => isMeant(id, identifier))) return false
    return subcomponents.length === 0 || subcomponents.some((part) => isMeant(part, finding.package.purl))
  })
}

/**
 * A package URL means every one that has all it says: without a version all versions, without qualifiers all of them.
 * One with a subpath means a part of a package, of which nothing is known here.
 */
function isMeant(pattern: string, identifier: string): boolean {
  if (pattern === identifier) return true
  if (!pattern.startsWith('pkg:') || !identifier.startsWith('pkg:') || pattern.includes('#')) return false
  const [wanted, given] = [purlParts(pattern), purlParts(identifier)]
  if (wanted.path !== given.path || (wanted.version !== '' && wanted.version !== given.version)) return false
  return [...wanted.qualifiers].every(([key, value]) => given.qualifiers.get(key) === value)
}

function purlParts(purl: string): {
  readonly path: string
  readonly version: string
  readonly qualifiers: ReadonlyMap<string, string>
} {
  const [bare = ''] = purl.split('#', 1)
  const [before = '', query = ''] = bare.split('?', 2)
  const at = before.lastIndexOf('@')
  // An @ that begins a path segment is a scope.
  const hasVersion = at > 0 && before[at - 1] !== '/'
  return {
    path: decode(hasVersion ? before.slice(0, at) : before),
    version: hasVersion ? decode(before.slice(at + 1)) : '',
    qualifiers: new Map(
      query
        .split('&')
        .filter((pair) => pair.includes('='))
        .map((pair) => [pair.slice(0, pair.indexOf('=')), decode(pair.slice(pair.indexOf('=') + 1))]),
    ),
  }
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

function momentOf(value: unknown): Date | undefined {
  const moment = new Date(textOf(value) ?? '')
  return Number.isNaN(moment.getTime()) ? undefined : moment
}
