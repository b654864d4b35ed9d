import { repositoryArn } from '../arn.ts'
import { invalidParameter } from '../errors.ts'
import type { Registry, RepositoryName } from '../names.ts'
import {
  ALL_ACTION_KEYS,
  PUBLIC_REPOSITORY_ACTION_KEYS,
  REGISTRY_POLICY_V1_ACTION_KEYS,
  REPOSITORY_ACTION_KEYS,
} from './actions.ts'
import { type Grammar, NEWEST_VERSION, OLD_VERSION, parsePolicy } from './grammar.ts'
import { patternMatcher } from './pattern.ts'
import type { Policy } from './policy.ts'
import { PolicyMistake } from './policy-mistake.ts'

/** How far a registry's policy reaches: the account setting REGISTRY_POLICY_SCOPE. */
export type RegistryPolicyScope = 'V1' | 'V2'

/** Reads a repository's policy, or a public repository's. Throws `invalid-parameter` in ECR's words. */
export function parseRepositoryPolicy(text: string, isPublic = false): Policy {
  return parsed(text, 'Invalid repository policy provided', {
    versions: [undefined, OLD_VERSION, NEWEST_VERSION],
    principals: ['AWS', 'Service'],
    // ECR takes no `Resource` in a repository's policy, not even the repository's own ARN.
    actions: among(isPublic ? PUBLIC_REPOSITORY_ACTION_KEYS : REPOSITORY_ACTION_KEYS),
  })
}

/** Reads a registry's policy, whose resources must lie in that registry. Throws `invalid-parameter` in ECR's words. */
export function parseRegistryPolicy(text: string, registry: Registry, scope: RegistryPolicyScope): Policy {
  const [, ...place] = repositoryArn({ registry, name: '' as RepositoryName }).split(':')
  return parsed(text, 'Invalid registry policy provided', {
    versions: [NEWEST_VERSION],
    principals: ['AWS', 'Service'],
    actions: among(scope === 'V1' ? REGISTRY_POLICY_V1_ACTION_KEYS : ALL_ACTION_KEYS),
    checkResource(resource) {
      const [arn = '', ...parts] = resource.split(':')
      const isArn = arn === 'arn' && parts.length === place.length && isPlaceMatched(parts, place)
      if (resource !== '*' && !isArn) throw new PolicyMistake('A resource is a repository of this registry')
    },
  })
}

function parsed(text: string, refusal: string, grammar: Grammar): Policy {
  try {
    return parsePolicy(text, grammar)
  } catch (thrown) {
    if (!(thrown instanceof PolicyMistake)) throw thrown
    const reason = thrown.kind === 'principal' ? 'Principal not found' : refusal
    throw invalidParameter('PolicyText', reason, { cause: thrown })
  }
}

/** Every entry must mean at least one of the actions: one that means none would look like a rule and be none. */
function among(allowed: ReadonlySet<string>): Grammar['actions'] {
  return (entries, isInverted) => {
    const named = new Set<string>()
    for (const text of entries) {
      const matches = patternMatcher(text.toLowerCase())
      const found = [...allowed].filter(matches)
      if (found.length === 0) throw new PolicyMistake(`There is no action ${text.slice(0, 64)}`)
      for (const key of found) named.add(key)
    }
    return isInverted ? (action) => allowed.has(action) && !named.has(action) : (action) => named.has(action)
  }
}

/** Partition, service, region and account must be this registry's; what follows names repositories. */
function isPlaceMatched(parts: readonly string[], place: readonly string[]): boolean {
  const isHere = place.slice(0, -1).every((part, index) => patternMatcher(parts[index] ?? '')(part))
  const last = parts.at(-1) ?? ''
  return isHere && (last === '*' || /^repository\/./.test(last))
}
