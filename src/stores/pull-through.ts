import type { Digest } from '../domain/digest.ts'
import type { Registry } from '../domain/names.ts'
import type { PullThroughRule } from '../domain/pull-through.ts'

/** What was last compared with the upstream: a tag, or the referrers of a digest. */
export interface CheckedThing {
  readonly repositoryId: number
  readonly kind: 'tag' | 'referrers'
  readonly name: string
}

/** When that was, and which digest the tag had there. */
export interface UpstreamCheck {
  readonly checkedAt: Date
  readonly digest: Digest | undefined
}

export interface PullThroughReader {
  /** Those that are there, in ascending order of prefix; prefixes with and without a slash at the end are the same. */
  findMany(registry: Registry, prefixes: readonly string[]): Promise<readonly PullThroughRule[]>
  /** In ascending order of prefix: everything after `after`, at most `limit`. */
  list(
    registry: Registry,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly PullThroughRule[]>
  count(registry: Registry): Promise<number>
  findCheck(thing: CheckedThing): Promise<UpstreamCheck | undefined>
}

/** Every change of a rule counts up `MetadataStore.policyRevision` when it is committed. */
export interface PullThroughWriter extends PullThroughReader {
  /** Throws `pull-through-rule-exists`. */
  insert(rule: PullThroughRule): Promise<void>
  /** Replaces the rule of the same registry and prefix. */
  update(rule: PullThroughRule): Promise<void>
  /** Absent is fine. */
  delete(registry: Registry, prefix: string): Promise<void>
  putCheck(thing: CheckedThing, check: UpstreamCheck): Promise<void>
}
