import type { Registry, RepositoryName } from './names.ts'
import type { EncryptionWish, ResourceTag, TagMutability } from './repository.ts'

/** On what occasion ECR makes a repository by itself. */
export type CreationOccasion = 'PULL_THROUGH_CACHE' | 'REPLICATION' | 'CREATE_ON_PUSH'

/** What a repository is to be like that ECR makes by itself. */
export interface CreationTemplate {
  readonly registry: Registry
  /** As it was given: with or without a slash at its end, or `ROOT`. */
  readonly prefix: string
  readonly appliedFor: readonly CreationOccasion[]
  readonly description?: string | undefined
  readonly mutability: TagMutability
  readonly encryption: EncryptionWish
  /** The text of the repository's policy. */
  readonly repositoryPolicy?: string | undefined
  /** The text of the repository's lifecycle policy. */
  readonly lifecyclePolicy?: string | undefined
  readonly resourceTags: readonly ResourceTag[]
  readonly customRoleArn?: string | undefined
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** The prefix of the template for all that no other is for. */
export const ROOT_PREFIX = 'ROOT'

/**
 * The prefixes whose templates are for a name, the most specific first: `prod` is for `prod/app` and `prod/team/app`, not
 * for `prod` itself nor for `product/app`.
 */
export function prefixesOf(name: RepositoryName): readonly string[] {
  const components = name.split('/')
  const prefixes: string[] = []
  for (let length = components.length - 1; length > 0; length--) {
    const prefix = components.slice(0, length).join('/')
    prefixes.push(`${prefix}/`, prefix)
  }
  return [...prefixes, ROOT_PREFIX]
}

/** The names that a prefix is for, as the ARNs of policies write them. */
export function namesUnder(prefix: string): RepositoryName {
  return (prefix === ROOT_PREFIX ? '*' : prefix.endsWith('/') ? `${prefix}*` : `${prefix}/*`) as RepositoryName
}

/** The template by which a repository of this name is made on this occasion; `templates` may hold others. */
export function templateFor(
  templates: readonly CreationTemplate[],
  name: RepositoryName,
  occasion: CreationOccasion,
): CreationTemplate | undefined {
  const byPrefix = new Map(templates.map((template) => [template.prefix, template]))
  for (const prefix of prefixesOf(name)) {
    const template = byPrefix.get(prefix)
    if (template?.appliedFor.includes(occasion)) return template
  }
  return undefined
}
