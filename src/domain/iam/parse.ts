import { repositoryArn } from '../arn.ts'
import { invalidParameter } from '../errors.ts'
import type { Registry, RepositoryName } from '../names.ts'
import { parseStrictJson } from '../strict-json.ts'
import {
  ALL_ACTION_KEYS,
  PUBLIC_REPOSITORY_ACTION_KEYS,
  REGISTRY_POLICY_V1_ACTION_KEYS,
  REPOSITORY_ACTION_KEYS,
} from './actions.ts'
import { parseConditions } from './conditions.ts'
import { isResourceTagKey } from './facts.ts'
import { patternMatcher } from './pattern.ts'
import type { Policy, ResourcePattern, Statement } from './policy.ts'
import { asTexts, isObject, PolicyMistake } from './policy-mistake.ts'
import { type PrincipalPattern, parsePrincipals } from './principals.ts'

/** How far a registry's policy reaches: the account setting REGISTRY_POLICY_SCOPE. */
export type RegistryPolicyScope = 'V1' | 'V2'

/** What tells the two kinds of policies apart. */
interface Kind {
  readonly refusal: string
  readonly versions: readonly (string | undefined)[]
  /** The actions that a statement may be about. */
  readonly actions: ReadonlySet<string>
  /** Reads `Resource` and `NotResource`. */
  resources(statement: Readonly<Record<string, unknown>>, hasVariables: boolean): ResourcePattern | undefined
}

const NEWEST_VERSION = '2012-10-17'
const MEMBERS: ReadonlySet<string> = new Set(['Version', 'Id', 'Statement'])
const STATEMENT_MEMBERS: ReadonlySet<string> = new Set([
  'Sid',
  'Effect',
  'Principal',
  'NotPrincipal',
  'Action',
  'NotAction',
  'Resource',
  'NotResource',
  'Condition',
])

/** Reads a repository's policy, or a public repository's. Throws `invalid-parameter` in ECR's words. */
export function parseRepositoryPolicy(text: string, isPublic = false): Policy {
  return parsePolicy(text, {
    refusal: 'Invalid repository policy provided',
    versions: [undefined, '2008-10-17', NEWEST_VERSION],
    actions: isPublic ? PUBLIC_REPOSITORY_ACTION_KEYS : REPOSITORY_ACTION_KEYS,
    resources: noResources,
  })
}

/** Reads a registry's policy, whose resources must lie in that registry. Throws `invalid-parameter` in ECR's words. */
export function parseRegistryPolicy(text: string, registry: Registry, scope: RegistryPolicyScope): Policy {
  return parsePolicy(text, {
    refusal: 'Invalid registry policy provided',
    versions: [NEWEST_VERSION],
    actions: scope === 'V1' ? REGISTRY_POLICY_V1_ACTION_KEYS : ALL_ACTION_KEYS,
    resources: (statement, hasVariables) => resourcesIn(registry, statement, hasVariables),
  })
}

function parsePolicy(text: string, kind: Kind): Policy {
  try {
    return policyOf(parseStrictJson(text), kind)
  } catch (thrown) {
    if (thrown instanceof PolicyMistake && thrown.kind === 'principal')
      throw invalidParameter('PolicyText', 'Principal not found', { cause: thrown })
    if (thrown instanceof PolicyMistake || thrown instanceof SyntaxError)
      throw invalidParameter('PolicyText', kind.refusal, { cause: thrown })
    throw thrown
  }
}

function policyOf(document: unknown, kind: Kind): Policy {
  if (!isObject(document)) throw new PolicyMistake('A policy is an object')
  refuseOthers(document, MEMBERS)
  const { Version: version, Id: id, Statement: given } = document
  const known = kind.versions.find((one) => one === version)
  if (known === undefined && !(version === undefined && kind.versions.includes(undefined)))
    throw new PolicyMistake('The version is unknown')
  if (id !== undefined && typeof id !== 'string') throw new PolicyMistake('Id is a text')
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new PolicyMistake('A policy has a statement')
  const statements = list.map((statement) => statementOf(statement, kind, version === NEWEST_VERSION))
  const readsResourceTags = statements.some(({ conditions }) => conditions.some(({ key }) => isResourceTagKey(key)))
  return { statements, readsResourceTags }
}

function statementOf(given: unknown, kind: Kind, hasVariables: boolean): Statement {
  if (!isObject(given)) throw new PolicyMistake('A statement is an object')
  refuseOthers(given, STATEMENT_MEMBERS)
  const { Sid: sid, Effect: effect } = given
  if (sid !== undefined && typeof sid !== 'string') throw new PolicyMistake('Sid is a text')
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyMistake('Effect is Allow or Deny')
  return {
    effect,
    principals: principalsOf(given, effect),
    actions: actionsOf(given, kind.actions),
    resources: kind.resources(given, hasVariables),
    conditions: parseConditions(given.Condition, hasVariables),
  }
}

/** `NotPrincipal` with `Allow` would let everyone in but a few: IAM itself has given that up. */
function principalsOf(statement: Readonly<Record<string, unknown>>, effect: 'Allow' | 'Deny'): PrincipalPattern {
  const { isInverted, value } = eitherOf(statement, 'Principal', 'NotPrincipal')
  if (isInverted && effect === 'Allow') throw new PolicyMistake('NotPrincipal goes with Deny')
  return parsePrincipals(value, isInverted)
}

/** Every entry must mean at least one action: one that means none would look like a rule and be none. */
function actionsOf(statement: Readonly<Record<string, unknown>>, allowed: ReadonlySet<string>): ReadonlySet<string> {
  const { isInverted, value } = eitherOf(statement, 'Action', 'NotAction')
  const named = new Set<string>()
  for (const text of asTexts(value)) {
    const matches = patternMatcher(text.toLowerCase())
    const found = [...allowed].filter(matches)
    if (found.length === 0) throw new PolicyMistake(`There is no action ${text.slice(0, 64)}`)
    for (const key of found) named.add(key)
  }
  return isInverted ? new Set([...allowed].filter((key) => !named.has(key))) : named
}

/** ECR takes no `Resource` in a repository's policy, not even the repository's own ARN. */
function noResources(statement: Readonly<Record<string, unknown>>): undefined {
  if (statement.Resource !== undefined || statement.NotResource !== undefined)
    throw new PolicyMistake('A repository policy names no resource')
}

function resourcesIn(
  registry: Registry,
  statement: Readonly<Record<string, unknown>>,
  hasVariables: boolean,
): ResourcePattern {
  const { isInverted, value } = eitherOf(statement, 'Resource', 'NotResource')
  const [, ...place] = repositoryArn({ registry, name: '' as RepositoryName }).split(':')
  const matchers = asTexts(value).map((text) => {
    if (hasVariables && text.includes('${')) throw new PolicyMistake('Variables in resources are not supported')
    const [arn = '', ...parts] = text.split(':')
    const isArn = arn === 'arn' && parts.length === place.length && isPlaceMatched(parts, place)
    if (text !== '*' && !isArn) throw new PolicyMistake('A resource is a repository of this registry')
    return patternMatcher(text)
  })
  return { isInverted, matchers }
}

/** Partition, service, region and account must be this registry's; what follows names repositories. */
function isPlaceMatched(parts: readonly string[], place: readonly string[]): boolean {
  const isHere = place.slice(0, -1).every((part, index) => patternMatcher(parts[index] ?? '')(part))
  const last = parts.at(-1) ?? ''
  return isHere && (last === '*' || /^repository\/./.test(last))
}

function eitherOf(statement: Readonly<Record<string, unknown>>, positive: string, negative: string) {
  const isInverted = statement[negative] !== undefined
  if (isInverted === (statement[positive] !== undefined))
    throw new PolicyMistake(`A statement has either ${positive} or ${negative}`)
  return { isInverted, value: statement[isInverted ? negative : positive] }
}

function refuseOthers(document: Readonly<Record<string, unknown>>, members: ReadonlySet<string>): void {
  const other = Object.keys(document).find((name) => !members.has(name))
  if (other !== undefined) throw new PolicyMistake(`There is no member ${other.slice(0, 64)}`)
}
