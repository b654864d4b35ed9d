import { wildcard } from '../wildcard.ts'

/** Whose images a profile signs. */
export interface SigningRule {
  readonly profileArn: string
  /** Wildcards for whole names of repositories, of which one must match; absent: every repository. */
  readonly repositoryFilters?: readonly string[] | undefined
}

/** What is signed in one registry, and by which profiles. */
export interface SigningConfiguration {
  readonly rules: readonly SigningRule[]
}

/** The profiles that sign what is pushed to a repository, each once, in the order of the rules. */
export function profilesFor({ rules }: SigningConfiguration, repositoryName: string): readonly string[] {
  const matching = rules.filter(
    ({ repositoryFilters }) =>
      repositoryFilters === undefined || repositoryFilters.some((filter) => wildcard(filter)(repositoryName)),
  )
  return [...new Set(matching.map(({ profileArn }) => profileArn))]
}
