import type { Condition } from './conditions.ts'
import type { PatternMatcher } from './pattern.ts'
import type { PrincipalPattern } from './principals.ts'
import type { Template } from './template.ts'

/** A policy, ready to be evaluated. */
export interface Policy {
  readonly statements: readonly Statement[]
  /** The condition keys that it asks for, as they are written, each once. */
  readonly contextKeys: readonly string[]
  /** Whether something asks for the tags of the resource, so that somebody must look them up first. */
  readonly readsResourceTags: boolean
  /** The same for the tags and digests of images. */
  readonly readsImages: boolean
}

export interface Statement {
  readonly sid: string | undefined
  /** Its place in the policy, from 0. */
  readonly index: number
  readonly effect: 'Allow' | 'Deny'
  /** Absent in the policy of an identity, which is about whoever has it. */
  readonly principals: PrincipalPattern | undefined
  /** Whether it is about an action: `service:name` in lower case. */
  readonly isAbout: (action: string) => boolean
  /** Absent in a repository policy, which is about its repository, and in a trust policy. */
  readonly resources?: ResourcePattern | undefined
  /** All of them must hold. */
  readonly conditions: readonly Condition[]
  /** As it is written. */
  readonly source: Readonly<Record<string, unknown>>
}

export interface ResourcePattern {
  /** Given as `NotResource`: about everything that does not match. */
  readonly isInverted: boolean
  readonly entries: readonly ResourceEntry[]
}

/** A text without variables is compiled; one with them is compiled for each request. */
export type ResourceEntry = { readonly matches: PatternMatcher } | { readonly template: Template }
