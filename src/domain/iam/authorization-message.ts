import type { AccessRequest, ApplicablePolicies, Decision, NamedPolicy } from './evaluate.ts'
import type { Statement } from './policy.ts'

/** A request that was refused, with all that the refusal rests on. */
export interface RefusedRequest {
  readonly decision: Decision
  readonly request: AccessRequest
  /** As error texts write it: `ecr:PutImage`. */
  readonly action: string
  /** Absent: nobody's request, which no policy was asked about. */
  readonly policies?: ApplicablePolicies | undefined
}

/** What is told of every request, where it is known. */
const ALWAYS = [
  ...['aws:CurrentTime', 'aws:PrincipalAccount', 'aws:RequestedRegion', 'aws:ResourceAccount'],
  ...['aws:SecureTransport', 'aws:SourceIp'],
]

/** The account that may read why: the one whose policies refused, so that none learns another's. */
export function readerOf({ decision, request }: RefusedRequest): string {
  return isOfResource(decision) ? request.ownerAccountId : request.principal.accountId
}

/**
 * Why a request was refused, as DecodeAuthorizationMessage of AWS tells it; Ecru's own are `policy` and `policyType`
 * of a statement, and `deniedBy`, the kind of policies that decided. Texts of a request and of policies can be long: what
 * does not fit into `bytesMax` of JSON is left out, the least telling first.
 */
export function authorizationMessage(refused: RefusedRequest, bytesMax: number): string {
  for (const detail of DETAILS) {
    const text = JSON.stringify(messageOf(refused, detail))
    if (new TextEncoder().encode(text).length <= bytesMax) return text
  }
  return JSON.stringify({ allowed: false, explicitDeny: refused.decision.outcome === 'denied' })
}

/** Whether the policies of the resource decided. */
function isOfResource({ by }: Decision): boolean {
  return by === 'resource'
}

/** How much is told. */
interface Detail {
  readonly hasContext: boolean
  readonly hasStatement: boolean
}

const DETAILS: readonly Detail[] = [
  { hasContext: true, hasStatement: true },
  { hasContext: true, hasStatement: false },
  { hasContext: false, hasStatement: false },
]

function messageOf(refused: RefusedRequest, { hasContext, hasStatement }: Detail): object {
  const { decision, request, action } = refused
  const { principal, resource } = request
  const { statement, policy, by } = decision
  const matched = statement === undefined ? [] : [statementOf(statement, policy ?? '', by, hasStatement)]
  return {
    allowed: false,
    explicitDeny: decision.outcome === 'denied',
    deniedBy: by,
    matchedStatements: { items: matched },
    failures: { items: [] },
    context: {
      principal: { id: principal.userId, arn: principal.arn },
      action,
      resource,
      conditions: { items: hasContext ? conditionsOf(refused) : [] },
    },
  }
}

function statementOf({ sid, index, effect, source }: Statement, policy: string, by: string, isWhole: boolean): object {
  const items = (name: string) => (isWhole ? listOf(source[name]) : { items: [] })
  const inverted = (name: string) =>
    isWhole && source[name] !== undefined ? { [lower(name)]: listOf(source[name]) } : {}
  return {
    statementId: sid ?? '',
    statementIndex: index,
    effect: effect.toUpperCase(),
    policy,
    policyType: by,
    principals: isWhole ? principalsOf(source.Principal) : { items: [] },
    principalGroups: { items: [] },
    actions: items('Action'),
    ...inverted('NotAction'),
    resources: items('Resource'),
    ...inverted('NotResource'),
    conditions: isWhole ? conditionsIn(source.Condition) : { items: [] },
  }
}

function conditionsIn(condition: unknown): object {
  const operators = Object.entries(condition ?? {})
  return {
    items: operators.flatMap(([operator, keys]) =>
      Object.entries(keys ?? {}).map(([key, values]) => ({ operator, key, values: listOf(values) })),
    ),
  }
}

function principalsOf(principal: unknown): object {
  if (typeof principal !== 'object' || principal === null) return listOf(principal)
  return { items: Object.values(principal).flatMap(valuesOf) }
}

/** The facts that the reader's policies ask for, and some that are always of interest. */
function conditionsOf({ request, policies, decision }: RefusedRequest): readonly object[] {
  const names = new Map(ALWAYS.map((name) => [name.toLowerCase(), name]))
  for (const { policy } of policies === undefined ? [] : readablePolicies(policies, request, decision))
    for (const name of policy.contextKeys) names.set(name.toLowerCase(), name)
  return [...names].flatMap(([key, name]) => {
    const fact = request.facts(key)
    return fact === undefined || fact === 'unknown' ? [] : [{ key: name, values: listOf(fact) }]
  })
}

function readablePolicies(
  { identity, boundary, session = [], resource }: ApplicablePolicies,
  { principal, ownerAccountId }: AccessRequest,
  decision: Decision,
): readonly NamedPolicy[] {
  const ofIdentity = [...(identity === 'everything' ? [] : identity), ...(boundary ? [boundary] : []), ...session]
  if (principal.accountId === ownerAccountId) return [...ofIdentity, ...resource]
  return isOfResource(decision) ? resource : ofIdentity
}

function listOf(value: unknown): { readonly items: readonly object[] } {
  return { items: valuesOf(value) }
}

function valuesOf(value: unknown): readonly object[] {
  if (value === undefined || value === null) return []
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  return list.map((one) => ({ value: String(one) }))
}

function lower(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1) + 's'
}
