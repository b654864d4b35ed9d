import type { Principal } from '../principal.ts'
import { type Condition, holds } from './conditions.ts'
import type { Facts } from './fact.ts'
import { tokenMatcher } from './pattern.ts'
import type { Policy, ResourcePattern, Statement } from './policy.ts'
import { type Meant, meaningOf } from './principals.ts'
import { resolve } from './template.ts'

/** What somebody wants to do. */
export interface AccessRequest {
  readonly principal: Principal
  /** `service:name` in lower case. */
  readonly action: string
  /** The ARN of the repository, of all of a registry's (`…:repository/*`), or `*` for the registry itself. */
  readonly resource: string
  /** The account that owns the resource. */
  readonly ownerAccountId: string
  readonly facts: Facts
}

/** Where a policy hangs: on the identity, its boundary, its session, or the resource. */
export type PolicyKind = 'identity' | 'boundary' | 'session' | 'resource'

/** A policy with what people call it. */
export interface NamedPolicy {
  readonly name: string
  readonly policy: Policy
}

/** All policies that have a say in a request. */
export interface ApplicablePolicies {
  /** `everything`: an administrator of his account, whom no policy of an identity describes. */
  readonly identity: readonly NamedPolicy[] | 'everything'
  /** The permissions boundary; absent: there is none. */
  readonly boundary?: NamedPolicy | undefined
  /** What the session was narrowed by, together; absent: it was not. */
  readonly session?: readonly NamedPolicy[] | undefined
  readonly resource: readonly NamedPolicy[]
  /** The resource lets nobody in, not even its own account, whom its policies do not name: a role, a key. */
  readonly isResourceClosed?: boolean | undefined
}

/** What was decided, and by which statement of which policy. */
export interface Decision {
  /** `denied`: a statement says so. `not-allowed`: none says that it may. */
  readonly outcome: 'allowed' | 'denied' | 'not-allowed'
  /** The kind of policies that decided; `account`: an administrator in his own account. */
  readonly by: PolicyKind | 'account'
  /** What decided, where it was a single statement. */
  readonly policy?: string | undefined
  readonly statement?: Statement | undefined
}

/**
 * The one decision about access, in AWS's order. An explicit denial anywhere wins. Within an account the identity's
 * policies or the resource's must allow, across accounts both; boundary and session take away what they do not allow too,
 * except what the resource's policy gives, in the same account, to the user or the session by its own name.
 */
export function decide(request: AccessRequest, policies: ApplicablePolicies): Decision {
  return deniedBy(request, policies) ?? granted(request, policies)
}

/** Whether boundary and session, where there are any, leave what something else than policies gives. */
export function isWithin(request: AccessRequest, { boundary, session }: ApplicablePolicies): boolean {
  if (boundary !== undefined && allowanceIn(request, 'boundary', [boundary]) === undefined) return false
  return session === undefined || allowanceIn(request, 'session', session) !== undefined
}

/** Whether a statement is about the request, conditions included; where they cannot be judged, an allowance does not count and a denial does. */
export function applies(statement: Statement, request: AccessRequest): boolean {
  return statement.isAbout(request.action) && isAboutRest(statement, request)
}

/** The same of a statement that is about the action. */
function isAboutRest(statement: Statement, request: AccessRequest): boolean {
  return isAboutResource(statement, request) && isMet(statement, request.facts)
}

/** The statements about an action, found once for each policy: which they are is a matter of the two alone. */
function statementsAbout(policy: Policy, action: string): readonly Statement[] {
  const byAction = STATEMENTS_ABOUT.get(policy) ?? new Map<string, readonly Statement[]>()
  const known = byAction.get(action)
  if (known !== undefined) return known
  const statements = policy.statements.filter(({ isAbout }) => isAbout(action))
  // Simulations may name any number of actions that nobody has.
  if (byAction.size >= ACTIONS_REMEMBERED_MAX) byAction.clear()
  byAction.set(action, statements)
  STATEMENTS_ABOUT.set(policy, byAction)
  return statements
}

const STATEMENTS_ABOUT = new WeakMap<Policy, Map<string, readonly Statement[]>>()
const ACTIONS_REMEMBERED_MAX = 100

function deniedBy(request: AccessRequest, policies: ApplicablePolicies): Decision | undefined {
  const { identity, boundary, session, resource } = policies
  return (
    (identity === 'everything' ? undefined : denialIn(request, 'identity', identity)) ??
    denialIn(request, 'resource', resource) ??
    (boundary && denialIn(request, 'boundary', [boundary])) ??
    (session && denialIn(request, 'session', session))
  )
}

function denialIn(request: AccessRequest, by: PolicyKind, policies: readonly NamedPolicy[]): Decision | undefined {
  for (const { name, policy } of policies)
    for (const statement of statementsAbout(policy, request.action))
      if (statement.effect === 'Deny' && means(statement, request) !== undefined && isAboutRest(statement, request))
        return { outcome: 'denied', by, policy: name, statement }
  return undefined
}

interface Grant {
  readonly policy: string
  readonly statement: Statement
  /** How far it reaches: beyond boundary and session, to whoever is meant, or to an account that decides for itself. */
  readonly reach: 'beyond' | 'direct' | 'delegated'
}

const REACHES = { delegated: 0, direct: 1, beyond: 2 } as const

function granted(request: AccessRequest, policies: ApplicablePolicies): Decision {
  const { principal, ownerAccountId } = request
  const { identity, boundary, session, resource, isResourceClosed = false } = policies
  const isOwn = principal.accountId === ownerAccountId
  const grant = grantOf(request, resource)
  const byResource: Decision | undefined = grant && {
    outcome: 'allowed',
    by: 'resource',
    policy: grant.policy,
    statement: grant.statement,
  }
  if (isOwn && byResource !== undefined && grant?.reach === 'beyond') return byResource
  if (byResource === undefined && (!isOwn || isResourceClosed)) return notAllowed('resource')
  const byIdentity = identity === 'everything' ? EVERYTHING : allowanceIn(request, 'identity', identity)
  const isGiven = isOwn && grant?.reach === 'direct'
  if (byIdentity === undefined && !isGiven) return notAllowed('identity')
  if (boundary !== undefined && allowanceIn(request, 'boundary', [boundary]) === undefined)
    return notAllowed('boundary')
  if (session !== undefined && allowanceIn(request, 'session', session) === undefined) return notAllowed('session')
  return (isOwn && !isGiven ? byIdentity : byResource) ?? notAllowed('identity')
}

const EVERYTHING: Decision = { outcome: 'allowed', by: 'account' }

function notAllowed(by: PolicyKind): Decision {
  return { outcome: 'not-allowed', by }
}

function allowanceIn(request: AccessRequest, by: PolicyKind, policies: readonly NamedPolicy[]): Decision | undefined {
  for (const { name, policy } of policies)
    for (const statement of statementsAbout(policy, request.action))
      if (statement.effect === 'Allow' && isAboutRest(statement, request))
        return { outcome: 'allowed', by, policy: name, statement }
  return undefined
}

/** The allowance of the resource's policies that reaches farthest. */
function grantOf(request: AccessRequest, policies: readonly NamedPolicy[]): Grant | undefined {
  let best: Grant | undefined
  for (const { name, policy } of policies)
    for (const statement of statementsAbout(policy, request.action)) {
      if (statement.effect !== 'Allow') continue
      const meant = means(statement, request)
      if (meant === undefined) continue
      const reach = reachOf(meant, statement)
      if (best !== undefined && REACHES[best.reach] >= REACHES[reach]) continue
      if (isAboutRest(statement, request)) best = { policy: name, statement, reach }
    }
  return best
}

/**
 * AWS: what everybody gets who has a certain `aws:PrincipalArn` is no narrower for boundaries and sessions than what the very
 * user gets. Who is merely not excluded by it, is not named.
 */
function reachOf(meant: Meant, { conditions }: Statement): Grant['reach'] {
  if (meant === 'account') return 'delegated'
  const isNamed = meant === 'itself' || (meant === 'anyone' && conditions.some(namesPrincipal))
  return isNamed ? 'beyond' : 'direct'
}

function namesPrincipal({ key, operands, isNegated, whenAbsent }: Condition): boolean {
  return key === 'aws:principalarn' && operands !== 'null' && !isNegated && !whenAbsent
}

/** How a statement means the caller; one without principals means whoever has its policy. */
export function means({ principals }: Statement, { principal }: AccessRequest): Meant | undefined {
  return principals === undefined ? 'itself' : meaningOf(principals, principal)
}

/** Whether the statement's resources are the request's. */
export function isAboutResource({ resources, effect }: Statement, { resource, facts }: AccessRequest): boolean {
  return resources === undefined || isAmong(resources, resource, facts, effect)
}

/** What has no value matches nothing, and does not widen a `NotResource` that allows. */
function isAmong({ isInverted, entries }: ResourcePattern, resource: string, facts: Facts, effect: 'Allow' | 'Deny') {
  let isOpen = false
  for (const entry of entries) {
    const tokens = 'matches' in entry ? undefined : resolve(entry.template, facts, true)
    if (tokens === 'unknown' || (tokens === 'unresolved' && isInverted)) isOpen = true
    else if (typeof tokens === 'string') continue
    else if ('matches' in entry ? entry.matches(resource) : tokens && tokenMatcher(tokens)(resource)) return !isInverted
  }
  return isOpen ? effect === 'Deny' : isInverted
}

function isMet({ effect, conditions }: Statement, facts: Facts): boolean {
  let isUnknown = false
  for (const condition of conditions) {
    const outcome = holds(condition, facts)
    if (outcome === false) return false
    if (outcome === 'unknown') isUnknown = true
  }
  return !isUnknown || effect === 'Deny'
}
