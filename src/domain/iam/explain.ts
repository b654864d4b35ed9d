import { type Condition, holds } from './conditions.ts'
import {
  type AccessRequest,
  type ApplicablePolicies,
  type Decision,
  decide,
  isAboutResource,
  means,
  type NamedPolicy,
  type PolicyKind,
} from './evaluate.ts'
import type { Statement } from './policy.ts'

/** A decision with the path to it. */
export interface Explanation {
  readonly decision: Decision
  /** Every statement of every policy that has a say, in the order of kinds: identity, boundary, session, resource. */
  readonly steps: readonly Step[]
}

/** What became of one statement. */
export interface Step {
  readonly kind: PolicyKind
  readonly policy: string
  readonly statement: Statement
  /** `unjudged`: a condition asks for what nobody here knows, so an allowance does not count and a denial does. */
  readonly outcome: 'applies' | 'other-principal' | 'other-action' | 'other-resource' | 'condition' | 'unjudged'
  /** Looked at once everything else fits. */
  readonly conditions: readonly JudgedCondition[]
}

export interface JudgedCondition {
  readonly condition: Condition
  /** What the request has; `undefined`: the key is absent. */
  readonly actual: readonly string[] | undefined | 'unknown'
  readonly outcome: boolean | 'unknown'
}

/** The same decision as `decide`, and what each statement has to do with it. */
export function explain(request: AccessRequest, policies: ApplicablePolicies): Explanation {
  const { identity, boundary, session = [], resource } = policies
  const steps = (kind: PolicyKind, named: readonly NamedPolicy[]) =>
    named.flatMap(({ name, policy }) => policy.statements.map((statement) => stepOf(kind, name, statement, request)))
  return {
    decision: decide(request, policies),
    steps: [
      ...steps('identity', identity === 'everything' ? [] : identity),
      ...steps('boundary', boundary === undefined ? [] : [boundary]),
      ...steps('session', session),
      ...steps('resource', resource),
    ],
  }
}

function stepOf(kind: PolicyKind, policy: string, statement: Statement, request: AccessRequest): Step {
  const step = { kind, policy, statement, conditions: [] }
  if (means(statement, request) === undefined) return { ...step, outcome: 'other-principal' }
  if (!statement.isAbout(request.action)) return { ...step, outcome: 'other-action' }
  if (!isAboutResource(statement, request)) return { ...step, outcome: 'other-resource' }
  const conditions = statement.conditions.map((condition) => ({
    condition,
    actual: request.facts(condition.key),
    outcome: holds(condition, request.facts),
  }))
  const outcomes = conditions.map(({ outcome }) => outcome)
  if (outcomes.includes(false)) return { ...step, conditions, outcome: 'condition' }
  return { ...step, conditions, outcome: outcomes.includes('unknown') ? 'unjudged' : 'applies' }
}
