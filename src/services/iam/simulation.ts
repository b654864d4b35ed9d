import { setImmediate as nextTurn } from 'node:timers/promises'
import type { NamedPolicy } from '../../domain/iam/evaluate.ts'
import { parseIdentityPolicy, parseResourcePolicy } from '../../domain/iam/iam-policies.ts'
import type { Policy } from '../../domain/iam/policy.ts'
import { PolicyMistake } from '../../domain/iam/policy-mistake.ts'
import { type SimulatedDecision, simulate } from '../../domain/iam/simulate.ts'
import { entityNotFound, invalidInput } from '../../domain/iam-entities/errors.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import { isRegistryId, type RegistryId } from '../../domain/names.ts'
import { type Principal, userPrincipal } from '../../domain/principal.ts'
import type { Entities, IamAction } from './entities.ts'
import { findManagedPolicyText, type IdentityPolicies, identityPoliciesOf } from './identity-policies.ts'

/** What is to be tried. */
export interface Simulation {
  /** Texts beside those of the identity, if there is one. */
  readonly policies: readonly string[]
  readonly boundaries: readonly string[]
  readonly resourcePolicy?: string | undefined
  readonly resourceOwner?: string | undefined
  readonly callerArn?: string | undefined
  readonly actions: readonly string[]
  readonly resources: readonly string[]
  readonly context: ReadonlyMap<string, readonly string[]>
}

/** What would be decided about one action on one resource. */
export interface SimulatedResult extends SimulatedDecision {
  readonly action: string
  readonly resource: string
}

/** Whose policies are tried. */
type Source = Pick<IdentityPolicies, 'arn' | 'uniqueId' | 'tags' | 'inline' | 'managed' | 'boundary'>

/** How many decisions one request may ask for. */
const DECISIONS_MAX = 1000
/** How many characters of policies they may read together. */
const CHARACTERS_MAX = 20_000_000

/** Tries policies without anybody acting: the answers are those that `Access` would give. */
export class Simulations {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** The given policies alone. Throws `input-invalid` for what is no policy. */
  async custom(principal: Principal, simulation: Simulation): Promise<readonly SimulatedResult[]> {
    await this.#entities.authorize(principal, 'iam:SimulateCustomPolicy')
    return this.#run(principal, simulation, undefined)
  }

  /** Those of a user, a group or a role, and the given ones. Throws `entity-not-found`, `input-invalid`. */
  async ofPrincipal(principal: Principal, arn: string, simulation: Simulation): Promise<readonly SimulatedResult[]> {
    const identity = await this.#identity(principal, 'iam:SimulatePrincipalPolicy', arn)
    return this.#run(principal, simulation, identity)
  }

  /** The condition keys that policies ask for, ascending. Throws `input-invalid`. */
  async contextKeysOf(principal: Principal, texts: readonly string[]): Promise<readonly string[]> {
    await this.#entities.authorize(principal, 'iam:GetContextKeysForCustomPolicy')
    return keysOf(parsed(texts, 'PolicyInputList'))
  }

  /** The same for those of a user, a group or a role, and the given ones. Throws `entity-not-found`, `input-invalid`. */
  async contextKeysOfPrincipal(
    principal: Principal,
    arn: string,
    texts: readonly string[],
  ): Promise<readonly string[]> {
    const identity = await this.#identity(principal, 'iam:GetContextKeysForPrincipalPolicy', arn)
    return keysOf([...ofIdentity(identity), ...parsed(texts, 'PolicyInputList')])
  }

  async #identity(principal: Principal, action: IamAction, arn: string): Promise<Source> {
    const target = parseIamArn(arn)
    if (target === undefined || target.accountId === 'aws') throw invalidInput(`ARN ${arn} is not valid.`)
    await this.#entities.authorizeArn(principal, action, arn, {}, target.accountId)
    const { metadata } = this.#entities
    const found =
      target.kind === 'group' ? await this.#group(arn, target.accountId) : await identityPoliciesOf(metadata, arn)
    if (found === undefined) throw entityNotFound(target.kind, target.name)
    return found
  }

  /** What the members of a group have of it. */
  async #group(arn: string, accountId: RegistryId): Promise<Source | undefined> {
    return this.#entities.metadata.read(async ({ iam }) => {
      const group = await iam.find('group', accountId, parseIamArn(arn)?.name ?? '')
      if (group === undefined || this.#entities.arnOf(group) !== arn) return undefined
      const managed = []
      for (const policyArn of await iam.listAttached(group.id)) {
        const text = await findManagedPolicyText(iam, accountId, policyArn)
        if (text === undefined) throw new Error(`The managed policy ${policyArn} is in use and cannot be found`)
        managed.push({ arn: policyArn, text })
      }
      return { arn, uniqueId: group.uniqueId, tags: [], inline: await iam.listInline(group.id), managed }
    })
  }

  /** Others go on between two decisions: together they can take a while. */
  async #run(
    principal: Principal,
    simulation: Simulation,
    identity: Source | undefined,
  ): Promise<readonly SimulatedResult[]> {
    const { actions, resources, context, resourcePolicy, resourceOwner } = simulation
    if (actions.length * resources.length > DECISIONS_MAX)
      throw invalidInput(`A simulation is of ${DECISIONS_MAX} actions on resources at most.`)
    if (charactersOf(simulation, identity) * actions.length * resources.length > CHARACTERS_MAX)
      throw invalidInput('The policies are too long for a simulation of so many actions and resources.')
    const boundary = boundaryOf(simulation, identity)
    const policies = {
      identity: [...ofIdentity(identity), ...parsed(simulation.policies, 'PolicyInputList')],
      boundary,
      resource:
        resourcePolicy === undefined
          ? undefined
          : { name: 'ResourcePolicy', policy: readable(() => parseResourcePolicy(resourcePolicy), 'ResourcePolicy') },
    }
    const caller = callerOf(principal, simulation.callerArn, identity)
    const ownerAccountId = resourceOwner === undefined ? undefined : accountOf(resourceOwner)
    const now = this.#entities.clock.now()
    const results: SimulatedResult[] = []
    for (const action of actions)
      for (const resource of resources) {
        const decision = simulate(policies, { caller, action, resource, ownerAccountId, context, now })
        results.push({ ...decision, action, resource })
        await nextTurn()
      }
    return results
  }
}

function charactersOf({ policies, boundaries, resourcePolicy = '' }: Simulation, identity: Source | undefined): number {
  const { inline = [], managed = [], boundary } = identity ?? {}
  const stored = [...inline, ...managed, ...(boundary === undefined ? [] : [boundary])].map(({ text }) => text)
  return [...stored, ...policies, ...boundaries, resourcePolicy].reduce((sum, { length }) => sum + length, 0)
}

function ofIdentity(identity: Source | undefined): readonly NamedPolicy[] {
  if (identity === undefined) return []
  const { inline, managed } = identity
  return [...inline, ...managed.map(({ arn, text }) => ({ name: arn, text }))].map(({ name, text }) => ({
    name,
    policy: parseIdentityPolicy(text),
  }))
}

function boundaryOf({ boundaries }: Simulation, identity: Source | undefined): NamedPolicy | undefined {
  const [given] = parsed(boundaries, 'PermissionsBoundaryPolicyInputList')
  if (boundaries.length > 1) throw invalidInput('A simulation has one permissions boundary at most.')
  if (given !== undefined || identity?.boundary === undefined) return given
  return { name: identity.boundary.arn, policy: parseIdentityPolicy(identity.boundary.text) }
}

/** Names policies by where they stand in the request. */
function parsed(texts: readonly string[], list: string): readonly NamedPolicy[] {
  return texts.map((text, index) => {
    const name = `${list}.${index + 1}`
    return { name, policy: readable(() => parseIdentityPolicy(text), name) }
  })
}

function readable(parse: () => Policy, name: string): Policy {
  try {
    return parse()
  } catch (thrown) {
    if (thrown instanceof PolicyMistake) throw invalidInput(`${name}: ${thrown.message}`)
    throw thrown
  }
}

/** Who is said to call: the one that is named, or else the identity whose policies are tried; for a role, a session of it. */
function callerOf(principal: Principal, callerArn: string | undefined, identity: Source | undefined): Principal {
  const arn = callerArn ?? identity?.arn ?? `arn:aws:iam::${principal.accountId}:user/simulated`
  const parsedArn = parseIamArn(arn)
  if (parsedArn === undefined || parsedArn.accountId === 'aws') throw invalidInput(`ARN ${arn} is not valid.`)
  const isIdentity = identity !== undefined && arn === identity.arn
  const { accountId, partition, name } = parsedArn
  const user = userPrincipal(accountId, arn, isIdentity ? identity.uniqueId : 'AIDASIMULATED', '')
  const caller = { ...user, tags: isIdentity ? identity.tags : [] }
  if (parsedArn.kind !== 'role') return caller
  return { ...caller, kind: 'role', arn: `arn:${partition}:sts::${accountId}:assumed-role/${name}/simulated` }
}

/** An owner is given as `arn:aws:iam::A:root`. */
function accountOf(owner: string): string {
  const [, , , , account = ''] = owner.split(':')
  const id = account === '' ? owner : account
  if (!isRegistryId(id)) throw invalidInput(`The resource owner ${owner} is not valid.`)
  return id
}

function keysOf(policies: readonly NamedPolicy[]): readonly string[] {
  return [...new Set(policies.flatMap(({ policy }) => policy.contextKeys))].toSorted()
}
