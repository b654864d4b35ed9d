import { accountRootArn, partitionOf } from '../arn.ts'
import { type Condition, holds, parseConditions } from '../iam/conditions.ts'
import type { Facts } from '../iam/fact.ts'
import { type PatternMatcher, patternMatcher } from '../iam/pattern.ts'
import { asTexts, isObject, PolicyMistake } from '../iam/policy-mistake.ts'
import { type PrincipalPattern, parsePrincipals } from '../iam/principals.ts'
import type { Registry } from '../names.ts'
import type { Principal } from '../principal.ts'
import { parseStrictJson } from '../strict-json.ts'
import { keyPolicyMalformed } from './errors.ts'

/** The policy of a key, ready to be evaluated. */
export interface KeyPolicy {
  readonly statements: readonly KeyStatement[]
}

interface KeyStatement {
  readonly effect: 'Allow' | 'Deny'
  readonly principals: PrincipalPattern
  readonly actions: Pattern
  readonly resources: Pattern
  readonly conditions: readonly Condition[]
}

interface Pattern {
  /** Given as `Not…`: about everything that does not match. */
  readonly isInverted: boolean
  readonly matchers: readonly PatternMatcher[]
}

/** What somebody wants to do with a key. */
export interface KeyRequest {
  readonly principal: Principal
  /** Such as `kms:Decrypt`. */
  readonly action: string
  /** The key's ARN. */
  readonly resource: string
  readonly facts: Facts
}

/**
 * What the policy of a key says: it denies, it allows the principal by name, it leaves the decision to the policies of the
 * principal's account (by allowing the account as such), or nothing of it all.
 */
export type KeyPolicyVerdict = 'denied' | 'allowed' | 'delegated' | 'silent'

const MEMBERS = new Set(['Version', 'Id', 'Statement'])
const STATEMENT_MEMBERS = new Set([
  ...['Sid', 'Effect', 'Principal', 'NotPrincipal', 'Action', 'NotAction', 'Resource', 'NotResource', 'Condition'],
])
const VERSIONS = ['2008-10-17', '2012-10-17']

/** What a key gets that is made without a policy: its account decides. */
export function defaultKeyPolicy(home: Registry): string {
  return print('key-default-1', [
    {
      Sid: 'Enable IAM User Permissions',
      Effect: 'Allow',
      Principal: { AWS: accountRootArn(home) },
      Action: 'kms:*',
      Resource: '*',
    },
  ])
}

/** Of a key that the registry keeps for a service: the account uses it through the service only, and changes nothing. */
export function managedKeyPolicy(home: Registry, service: string): string {
  const dns = `${service}.${home.region}.amazonaws.com`
  return print(`auto-${service}-1`, [
    {
      Sid: `Allow access through ${service} for all principals in the account that are authorized to use it`,
      Effect: 'Allow',
      Principal: { AWS: '*' },
      Action: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncrypt*',
        'kms:GenerateDataKey*',
        'kms:CreateGrant',
        'kms:DescribeKey',
      ],
      Resource: '*',
      Condition: { StringEquals: { 'kms:CallerAccount': home.registryId, 'kms:ViaService': dns } },
    },
    {
      Sid: 'Allow direct access to key metadata to the account',
      Effect: 'Allow',
      Principal: { AWS: `arn:${partitionOf(home.region)}:iam::${home.registryId}:root` },
      Action: ['kms:Describe*', 'kms:Get*', 'kms:List*', 'kms:RevokeGrant'],
      Resource: '*',
    },
  ])
}

/** Reads a key's policy. Throws `key-policy-malformed`. */
export function parseKeyPolicy(text: string): KeyPolicy {
  try {
    return policyOf(parseStrictJson(text))
  } catch (cause) {
    if (cause instanceof SyntaxError) throw keyPolicyMalformed('The policy is not valid JSON.', { cause })
    if (!(cause instanceof PolicyMistake)) throw cause
    const sentence =
      cause.kind === 'principal' ? 'Policy contains a statement with one or more invalid principals.' : cause.message
    throw keyPolicyMalformed(sentence, { cause })
  }
}

/** A denial wins; then what is said of the principal itself, then what is left to its account. */
export function judge({ statements }: KeyPolicy, request: KeyRequest): KeyPolicyVerdict {
  const about = statements.filter((statement) => isAbout(statement, request))
  const reach = ({ principals }: KeyStatement) => reachOf(principals, request.principal)
  if (about.some((one) => one.effect === 'Deny' && reach(one) !== 'none' && applies(one, request.facts)))
    return 'denied'
  const allowing = about.filter((one) => one.effect === 'Allow' && applies(one, request.facts)).map(reach)
  if (allowing.includes('itself')) return 'allowed'
  return allowing.includes('account') ? 'delegated' : 'silent'
}

/** Whether a statement means the principal itself, the account it belongs to, or somebody else. */
function reachOf(pattern: PrincipalPattern, principal: Principal): 'itself' | 'account' | 'none' {
  const { isInverted, isAnyone, accounts, arns } = pattern
  const isAccount = accounts.has(principal.accountId)
  const isNamed = arns.has(principal.arn) || arns.has(principal.identityArn)
  if (isInverted) {
    const isSpared = isAnyone || (isAccount && (principal.kind === 'root' || isNamed))
    return isSpared ? 'none' : 'itself'
  }
  if (isAnyone || isNamed || (isAccount && principal.kind === 'root')) return 'itself'
  return isAccount ? 'account' : 'none'
}

function isAbout({ actions, resources }: KeyStatement, { action, resource }: KeyRequest): boolean {
  return matches(actions, action.toLowerCase()) && matches(resources, resource)
}

function matches({ isInverted, matchers }: Pattern, text: string): boolean {
  return matchers.some((match) => match(text)) !== isInverted
}

/** Where a condition cannot be judged, an allowance does not count and a denial does. */
function applies({ effect, conditions }: KeyStatement, facts: Facts): boolean {
  const outcomes = conditions.map((condition) => holds(condition, facts))
  if (outcomes.includes(false)) return false
  return effect === 'Deny' || !outcomes.includes('unknown')
}

function policyOf(document: unknown): KeyPolicy {
  if (!isObject(document)) throw new PolicyMistake('A policy is an object.')
  refuseOthers(document, MEMBERS)
  const { Version: version, Statement: given } = document
  if (version !== undefined && !VERSIONS.some((known) => known === version))
    throw new PolicyMistake('The version of the policy is unknown.')
  const list: readonly unknown[] = Array.isArray(given) ? given : [given]
  if (list.length === 0) throw new PolicyMistake('A policy has a statement.')
  return { statements: list.map((one) => statementOf(one, version === '2012-10-17')) }
}

function statementOf(given: unknown, hasVariables: boolean): KeyStatement {
  if (!isObject(given)) throw new PolicyMistake('A statement is an object.')
  refuseOthers(given, STATEMENT_MEMBERS)
  const { Effect: effect } = given
  if (effect !== 'Allow' && effect !== 'Deny') throw new PolicyMistake('Effect is Allow or Deny.')
  const principal = eitherOf(given, 'Principal', 'NotPrincipal')
  if (principal.isInverted && effect === 'Allow') throw new PolicyMistake('NotPrincipal goes with Deny.')
  const action = eitherOf(given, 'Action', 'NotAction')
  const actions = asTexts(action.value).map((text) => text.toLowerCase())
  if (!actions.every((text) => text === '*' || text.startsWith('kms:')))
    throw new PolicyMistake('A key policy is about actions of KMS.')
  const resource = eitherOf(given, 'Resource', 'NotResource')
  return {
    effect,
    principals: parsePrincipals(principal.value, principal.isInverted),
    actions: { isInverted: action.isInverted, matchers: actions.map(patternMatcher) },
    resources: { isInverted: resource.isInverted, matchers: asTexts(resource.value).map(patternMatcher) },
    conditions: parseConditions(given.Condition, hasVariables),
  }
}

function eitherOf(statement: Readonly<Record<string, unknown>>, positive: string, negative: string) {
  const isInverted = statement[negative] !== undefined
  if (isInverted === (statement[positive] !== undefined))
    throw new PolicyMistake(`A statement has either ${positive} or ${negative}.`)
  return { isInverted, value: statement[isInverted ? negative : positive] }
}

function refuseOthers(document: Readonly<Record<string, unknown>>, members: ReadonlySet<string>): void {
  const other = Object.keys(document).find((name) => !members.has(name))
  if (other !== undefined) throw new PolicyMistake(`There is no member ${other.slice(0, 64)}.`)
}

function print(id: string, statements: readonly object[]): string {
  return JSON.stringify({ Version: '2012-10-17', Id: id, Statement: statements }, undefined, 2)
}
