import type { Condition } from './conditions.ts'
import type { PatternMatcher } from './pattern.ts'
import type { PrincipalPattern } from './principals.ts'

/** A policy of a repository or a registry, ready to be evaluated. */
export interface Policy {
  readonly statements: readonly Statement[]
  /** Whether a condition asks for the tags of the repository, so that somebody must look them up first. */
  readonly readsResourceTags: boolean
}

export interface Statement {
  readonly effect: 'Allow' | 'Deny'
  readonly principals: PrincipalPattern
  /** The actions that it is about, as `actionKey` writes them. */
  readonly actions: ReadonlySet<string>
  /** Absent in a repository policy, which is about its repository. */
  readonly resources?: ResourcePattern | undefined
  /** All of them must hold. */
  readonly conditions: readonly Condition[]
}

export interface ResourcePattern {
  /** Given as `NotResource`: about everything that does not match. */
  readonly isInverted: boolean
  readonly matchers: readonly PatternMatcher[]
}
