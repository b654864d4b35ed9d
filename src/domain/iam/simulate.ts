import type { Principal } from '../principal.ts'
import type { AccessRequest, NamedPolicy } from './evaluate.ts'
import { explain, type Step } from './explain.ts'
import type { Facts } from './fact.ts'
import { factsOf } from './facts.ts'

/** The policies that a simulation tries. */
export interface SimulatedPolicies {
  readonly identity: readonly NamedPolicy[]
  readonly boundary?: NamedPolicy | undefined
  readonly resource?: NamedPolicy | undefined
}

/** What is asked of them. */
export interface Question {
  /** Whom the policies belong to, or who is said to call. */
  readonly caller: Principal
  /** As the caller wrote it: `ecr:PutImage`. */
  readonly action: string
  /** An ARN or `*`. */
  readonly resource: string
  /** Absent: the account in the resource's ARN, or else the caller's. */
  readonly ownerAccountId?: string | undefined
  /** What conditions are to find, by key in lower case. */
  readonly context: ReadonlyMap<string, readonly string[]>
  readonly now: Date
}

export interface SimulatedDecision {
  readonly outcome: 'allowed' | 'explicitDeny' | 'implicitDeny'
  /** The statements that brought it about: the denials, or else the allowances. */
  readonly matched: readonly Step[]
  /** Condition keys that policies ask for and nobody gave, as they are written. */
  readonly missingContextKeys: readonly string[]
  /** Whether the boundary, where there is one, allows it. */
  readonly isAllowedByBoundary: boolean | undefined
}

/** SimulatePrincipalPolicy and SimulateCustomPolicy: the decision that `decide` would make, in a world that the asker describes. */
export function simulate(policies: SimulatedPolicies, question: Question): SimulatedDecision {
  const { identity, boundary, resource } = policies
  const request = requestOf(question)
  const applicable = { identity, boundary, resource: resource === undefined ? [] : [resource] }
  const { decision, steps } = explain(request, applicable)
  const applying = steps.filter(({ outcome, statement }) => counts(outcome, statement.effect))
  const isDenied = decision.outcome === 'denied'
  const matched = applying.filter(({ statement }) => (statement.effect === 'Deny') === isDenied)
  const asked = [...identity, ...(boundary === undefined ? [] : [boundary]), ...applicable.resource].flatMap(
    ({ policy }) => policy.contextKeys,
  )
  return {
    outcome: decision.outcome === 'allowed' ? 'allowed' : isDenied ? 'explicitDeny' : 'implicitDeny',
    matched: decision.outcome === 'not-allowed' ? [] : matched,
    missingContextKeys: [...new Set(asked)].filter((key) => !isKnown(request.facts, key, question)),
    isAllowedByBoundary:
      boundary && applying.some(({ kind, statement }) => kind === 'boundary' && statement.effect === 'Allow'),
  }
}

function counts(outcome: Step['outcome'], effect: 'Allow' | 'Deny'): boolean {
  return outcome === 'applies' || (outcome === 'unjudged' && effect === 'Deny')
}

function isKnown(facts: Facts, key: string, { context }: Question): boolean {
  if (context.has(key.toLowerCase())) return true
  return facts(key.toLowerCase()) !== undefined
}

function requestOf(question: Question): AccessRequest {
  const { caller: principal, resource, context, now } = question
  const action = question.action.toLowerCase()
  const [, , , , account = ''] = resource.split(':')
  const ownerAccountId = question.ownerAccountId ?? (/^[0-9]{12}$/.test(account) ? account : principal.accountId)
  const known = factsOf({ principal, action, ownerAccountId, now, resourceTags: [] })
  const facts: Facts = (key) => {
    const given = context.get(key)
    if (given !== undefined) return given
    const fact = known(key)
    // What nobody said is missing in a simulation, and is named as such.
    return fact === 'unknown' ? undefined : fact
  }
  return { principal, action, resource, ownerAccountId, facts }
}
