import { parseRepositoryArn } from '../../domain/arn.ts'
import { invalidParameters } from '../../domain/errors.ts'
import type { AccessQuestion, AccessReport, ExplainedStatement } from '../../domain/iam/access-report.ts'
import { reasonOf } from '../../domain/iam/denial.ts'
import type { Explanation, JudgedCondition, Step } from '../../domain/iam/explain.ts'
import { iamArn, parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import { parseKeyReference } from '../../domain/kms/key-reference.ts'
import { isRegistryId, type Region, type RegistryId } from '../../domain/names.ts'
import { NOWHERE, type Principal, rootPrincipal, userPrincipal } from '../../domain/principal.ts'
import { parsePublicRepositoryArn } from '../../domain/public-registry.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access, AccessResource, Action } from './access.ts'

const ROOT_ARN = /^arn:aws[a-z-]*:iam::([0-9]{12}):root$/
const SESSION_ARN = /^arn:(aws[a-z-]*):sts::([0-9]{12}):assumed-role\/([^/]+)\/([^/]+)$/

/** Says why somebody may do something, or not: by the policies that are stored, whatever the mode is. */
export class AccessExplanations {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #region: Region

  /** `region` is that of resources that name none. */
  constructor(metadata: MetadataStore, access: Access, clock: Clock, region: Region) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#region = region
  }

  /** Throws `invalid-parameter` for a principal or an action that cannot be one. */
  async explain({ principal: arn, action, resource: named, context }: AccessQuestion): Promise<AccessReport> {
    if (!isAction(action)) throw invalidParameters(`'${action.slice(0, 100)}' is no action, such as ecr:PutImage.`)
    const principal = await this.#principalOf(arn)
    const resource = await this.#resourceOf(named, principal)
    const explanation = await this.#access.explain(principal, action, resource, { facts: context })
    return {
      principal: principal.arn,
      action,
      resource: named,
      outcome: explanation.decision.outcome === 'allowed' ? 'allowed' : 'denied',
      reason: sentenceOf(explanation, action),
      statements: explanation.steps.map(explained),
    }
  }

  async #principalOf(text: string): Promise<Principal> {
    const accountId = ROOT_ARN.exec(text)?.[1] ?? text
    if (isRegistryId(accountId)) return rootPrincipal(accountId, `arn:aws:iam::${accountId}:root`, '')
    const [, partition = '', account = '', roleName = '', sessionName = ''] = SESSION_ARN.exec(text) ?? []
    if (isRegistryId(account)) return this.#sessionOf(partition, account, roleName, sessionName)
    const parsed = parseIamArn(text)
    if (parsed !== undefined && parsed.accountId !== 'aws') {
      const { kind, name } = parsed
      if (kind === 'role') return this.#sessionOf(parsed.partition, parsed.accountId, name, 'explain')
      const user = kind === 'user' ? await this.#metadata.view.iam.find('user', parsed.accountId, name) : undefined
      if (user !== undefined)
        return { ...userPrincipal(user.accountId, iamArn(parsed.partition, user), user.uniqueId, ''), tags: user.tags }
    }
    throw invalidParameters(`There is no account, user, role or session '${text.slice(0, 200)}'.`)
  }

  async #sessionOf(partition: string, accountId: RegistryId, name: string, session: string): Promise<Principal> {
    const role = await this.#metadata.view.iam.find('role', accountId, name)
    if (role === undefined) throw invalidParameters(`There is no role '${name.slice(0, 100)}' in ${accountId}.`)
    const issuedAt = this.#clock.now()
    return {
      kind: 'role',
      accountId,
      arn: `arn:${partition}:sts::${accountId}:assumed-role/${role.name}/${session}`,
      identityArn: iamArn(partition, role),
      userId: `${role.uniqueId}:${session}`,
      accessKeyId: '',
      tags: role.tags,
      session: { name: session, issuedAt, expiresAt: issuedAt, policies: [], facts: {} },
      circumstances: NOWHERE,
    }
  }

  /** A repository is asked for its own policy, a role for its trust policy, a key for its policy; other resources have none. */
  async #resourceOf(text: string, { accountId }: Principal): Promise<AccessResource> {
    const [, , service = '', region = '', account = '', rest = ''] = text.split(':')
    const isOne = !/[*?]/.test(rest)
    if (service === 'ecr' && rest.startsWith('repository/') && isOne) return parseRepositoryArn(text)
    if (service === 'ecr-public' && rest.startsWith('repository/') && isOne) return parsePublicRepositoryArn(text)
    const ownerAccountId = isRegistryId(account) ? account : accountId
    const other = { arn: text, ownerAccountId, region: region === '' ? this.#region : region }
    const { iam, keys } = this.#metadata.view
    const role = parseIamArn(text)?.kind === 'role' ? await iam.find('role', ownerAccountId, lastPart(text)) : undefined
    if (role !== undefined) {
      const policy = { name: 'trust policy', text: role.attributes.trustPolicy, kind: 'trust' } as const
      return { ...other, tags: async () => role.tags, policy, isClosed: true }
    }
    if (service !== 'kms' || !rest.startsWith('key/')) return other
    const reference = parseKeyReference(text, { registryId: ownerAccountId, region: this.#region })
    const key = reference.kind === 'key' ? await keys.find(reference.keyId) : undefined
    if (key === undefined) throw invalidParameters(`There is no key '${text.slice(0, 200)}'.`)
    return { ...other, policy: { name: 'key policy', text: key.policy, kind: 'resource' }, isClosed: true }
  }
}

function isAction(text: string): text is Action {
  return /^[a-z0-9-]+:[a-z0-9]+$/i.test(text)
}

function lastPart(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}

function sentenceOf({ decision }: Explanation, action: string): string {
  const { outcome, by, policy, statement } = decision
  const where = statement === undefined ? '' : `: statement ${nameOf(statement)} of '${policy}'`
  if (outcome !== 'allowed') return `Denied ${reasonOf(decision, action)}${where}.`
  return by === 'account' ? 'Allowed: an administrator in his own account.' : `Allowed by a policy${where}.`
}

function explained({ kind, policy, statement, outcome, conditions }: Step): ExplainedStatement {
  return { kind, policy, statement: nameOf(statement), effect: statement.effect, outcome: inWords(outcome, conditions) }
}

function nameOf({ sid, index }: Step['statement']): string {
  return sid === undefined || sid === '' ? `#${index + 1}` : sid
}

const WORDS = {
  applies: 'applies',
  'other-principal': 'is about others',
  'other-action': 'is about other actions',
  'other-resource': 'is about other resources',
  condition: 'a condition is not met',
  unjudged: 'a condition cannot be judged',
} as const satisfies Record<Step['outcome'], string>

function inWords(outcome: Step['outcome'], conditions: readonly JudgedCondition[]): string {
  const failing = conditions.filter((one) => one.outcome !== true).map(conditionInWords)
  return failing.length === 0 ? WORDS[outcome] : `${WORDS[outcome]}: ${failing.join('; ')}`
}

function conditionInWords({ condition, actual }: JudgedCondition): string {
  const { operator, names, values } = condition
  const has =
    actual === 'unknown' ? 'nobody knows it' : actual === undefined ? 'it is absent' : `it is ${actual.join(', ')}`
  return `${operator} ${names[0]} ${values.join(', ')} (${has})`
}
