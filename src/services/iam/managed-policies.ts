import { accessDenied } from '../../domain/errors.ts'
import { POLICY_SIZES, policySize } from '../../domain/iam/iam-policies.ts'
import { AWS_MANAGED_POLICIES } from '../../domain/iam-entities/aws-managed-policies.ts'
import { type Entity, type ManagedPolicy, nameKey, type PolicyVersion } from '../../domain/iam-entities/entity.ts'
import {
  deleteConflict,
  invalidInput,
  policyNotFound,
  policyVersionNotFound,
  quotaExceeded,
  tooManyVersions,
} from '../../domain/iam-entities/errors.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import { checkIdentityPolicy } from '../../domain/iam-entities/policy-document.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import { checkTags } from '../../domain/iam-entities/tags.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { PolicyUse } from '../../stores/iam.ts'
import type { MetadataReader, MetadataWriter } from '../../stores/metadata.ts'
import type { RequestDetails } from '../access/access.ts'
import type { PageOf, Paging } from '../paging.ts'
import type { Entities, IamAction } from './entities.ts'
import { pageOfAll } from './markers.ts'
import { findPolicy, type PolicyRef } from './policy-refs.ts'

/** A managed policy as it is shown. */
export interface ShownPolicy {
  readonly arn: string
  readonly name: string
  readonly path: string
  readonly uniqueId: string
  readonly description?: string | undefined
  readonly isAttachable: boolean
  readonly defaultVersion: number
  readonly createdAt: Date
  readonly updatedAt: Date
  readonly tags: readonly ResourceTag[]
  readonly use: PolicyUse
}

export interface ShownVersion {
  readonly version: PolicyVersion
  readonly isDefault: boolean
}

export interface PolicyFilter {
  readonly scope: 'All' | 'AWS' | 'Local'
  readonly onlyAttached: boolean
  readonly pathPrefix: string
  readonly usage?: 'PermissionsPolicy' | 'PermissionsBoundary' | undefined
}

const UNUSED: PolicyUse = { attachmentCount: 0, boundaryCount: 0 }

/** The managed policies of accounts with their versions, and those of AWS, which nobody changes. */
export class ManagedPolicies {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Throws `policy-malformed`, `entity-exists`, `quota-exceeded`, `input-invalid`. */
  async create(
    principal: Principal,
    given: {
      readonly name: string
      readonly path: string
      readonly text: string
      readonly description?: string | undefined
      readonly tags: readonly ResourceTag[]
    },
  ): Promise<ShownPolicy> {
    const { name, path, text, description, tags } = given
    const entity = { accountId: principal.accountId, kind: 'policy', name, path } as const
    await this.#entities.authorizeNew(principal, 'Policy', this.#entities.arnOf(entity), tags)
    checkTags(tags)
    checkText(text)
    const birth = this.#entities.birth('policy')
    const attributes = { description, defaultVersion: 1, lastVersion: 1, updatedAt: birth.createdAt.getTime() }
    const quota = { things: 'PoliciesPerAccount', limit: IAM_QUOTAS.policies }
    const policy = await this.#entities.metadata.transact(async (tx) => {
      const inserted = await this.#entities.insert(tx, { ...entity, ...birth, tags, attributes }, quota)
      await tx.iam.insertVersion(inserted.id, { number: 1, text, createdAt: birth.createdAt })
      return inserted
    })
    return this.#shown({ owner: 'account', policy }, UNUSED)
  }

  /** Throws `entity-not-found`, `input-invalid`. */
  async get(principal: Principal, arn: string): Promise<ShownPolicy> {
    const found = await this.find(principal, 'iam:GetPolicy', arn)
    return this.#shown(found, await this.#entities.metadata.view.iam.policyUse(principal.accountId, arn))
  }

  async list(principal: Principal, filter: PolicyFilter, paging: Paging): Promise<PageOf<ShownPolicy>> {
    await this.#entities.authorize(principal, 'iam:ListPolicies')
    const { policies, uses } = await this.#entities.metadata.read(async ({ iam }) => {
      const page = { pathPrefix: filter.pathPrefix, limit: IAM_QUOTAS.policies }
      const own = filter.scope === 'AWS' ? [] : await iam.list('policy', principal.accountId, page)
      return { policies: own, uses: await iam.policyUses(principal.accountId) }
    })
    const aws =
      filter.scope === 'Local' ? [] : AWS_MANAGED_POLICIES.filter(({ path }) => path.startsWith(filter.pathPrefix))
    const refs: PolicyRef[] = [
      ...policies.map((policy) => ({ owner: 'account', policy }) as const),
      ...aws.map((policy) => ({ owner: 'aws', policy }) as const),
    ]
    const shown = refs
      .map((ref) => this.#shown(ref, uses.get(this.#arnOf(ref)) ?? UNUSED))
      .filter(({ use }) => isUsed(use, filter))
      .toSorted((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1))
    return pageOfAll(shown, paging, sortKey)
  }

  /** Throws `delete-conflict` while it is in use or has other versions than the default one. */
  async delete(principal: Principal, arn: string): Promise<void> {
    await this.change(principal, 'iam:DeletePolicy', arn, async (policy, { iam }) => {
      const { attachmentCount, boundaryCount } = await iam.policyUse(policy.accountId, arn)
      if (attachmentCount + boundaryCount > 0) throw deleteConflict('Cannot delete a policy attached to entities.')
      if ((await iam.listVersions(policy.id)).length > 1)
        throw deleteConflict(
          "This policy has more than one version. Before you delete a policy, you must delete the policy's versions. The default version is deleted with the policy.",
        )
      await iam.delete(policy.id)
    })
  }

  /** Throws `policy-malformed`, `quota-exceeded`, `entity-not-found`. */
  createVersion(principal: Principal, arn: string, text: string, isDefault: boolean): Promise<ShownVersion> {
    return this.change(principal, 'iam:CreatePolicyVersion', arn, async (policy, { iam }) => {
      checkText(text)
      if ((await iam.listVersions(policy.id)).length >= IAM_QUOTAS.versionsPerPolicy)
        throw tooManyVersions(IAM_QUOTAS.versionsPerPolicy)
      const version = { number: policy.attributes.lastVersion + 1, text, createdAt: this.#entities.clock.now() }
      await iam.insertVersion(policy.id, version)
      const defaultVersion = isDefault ? version.number : policy.attributes.defaultVersion
      await iam.update(changed(policy, { lastVersion: version.number, defaultVersion }, version.createdAt))
      return { version, isDefault }
    })
  }

  /** Throws `entity-not-found`, `input-invalid`. */
  async getVersion(principal: Principal, arn: string, number: number | undefined, id: string): Promise<ShownVersion> {
    const found = await this.find(principal, 'iam:GetPolicyVersion', arn)
    const versions = await this.#versionsOf(found)
    const version = versions.find((one) => one.version.number === number)
    if (version === undefined) throw policyVersionNotFound(arn, id)
    return version
  }

  async listVersions(principal: Principal, arn: string, paging: Paging): Promise<PageOf<ShownVersion>> {
    const versions = await this.#versionsOf(await this.find(principal, 'iam:ListPolicyVersions', arn))
    return pageOfAll(versions, paging, ({ version }) => String(1_000_000_000 - version.number))
  }

  /** Throws `entity-not-found`. */
  async setDefaultVersion(principal: Principal, arn: string, number: number | undefined, id: string): Promise<void> {
    await this.change(principal, 'iam:SetDefaultPolicyVersion', arn, async (policy, { iam }) => {
      const version = number === undefined ? undefined : await iam.findVersion(policy.id, number)
      if (version === undefined) throw policyVersionNotFound(arn, id)
      await iam.update(changed(policy, { defaultVersion: version.number }, this.#entities.clock.now()))
    })
  }

  /** Throws `entity-not-found`, `delete-conflict` for the default version. */
  async deleteVersion(principal: Principal, arn: string, number: number | undefined, id: string): Promise<void> {
    await this.change(principal, 'iam:DeletePolicyVersion', arn, async (policy, { iam }) => {
      const version = number === undefined ? undefined : await iam.findVersion(policy.id, number)
      if (version === undefined) throw policyVersionNotFound(arn, id)
      if (version.number === policy.attributes.defaultVersion)
        throw deleteConflict('Cannot delete the default version of a policy.')
      await iam.deleteVersion(policy.id, version.number)
    })
  }

  /** Who uses a policy: to whom it is attached, and whom it bounds. Throws `entity-not-found`. */
  async listUsers(principal: Principal, arn: string, usage: PolicyFilter['usage']): Promise<readonly Entity[]> {
    await this.find(principal, 'iam:ListEntitiesForPolicy', arn)
    return this.#entities.metadata.read(async ({ iam }) => {
      const attached = usage === 'PermissionsBoundary' ? [] : await iam.listAttachedTo(principal.accountId, arn)
      const bounded = usage === 'PermissionsPolicy' ? [] : await iam.listBoundedBy(principal.accountId, arn)
      return [...new Map([...attached, ...bounded].map((entity) => [entity.id, entity])).values()]
    })
  }

  /** The policy of an ARN, once authorised. Throws `input-invalid` for what is no policy's ARN, `entity-not-found`. */
  async find(principal: Principal, action: IamAction, arn: string): Promise<PolicyRef> {
    return this.#find(this.#entities.metadata.view, principal, action, arn)
  }

  /** A policy of the account, once authorised, and the work on it. AWS's own are `access-denied`. */
  async change<T>(
    principal: Principal,
    action: IamAction,
    arn: string,
    work: (policy: ManagedPolicy, tx: MetadataWriter) => Promise<T>,
    details: RequestDetails = {},
  ): Promise<T> {
    const found = await this.#find(this.#entities.metadata.view, principal, action, arn, details)
    if (found.owner === 'aws')
      throw accessDenied(principal.arn, action, arn, 'because AWS managed policies are changed by AWS alone')
    return this.#entities.metadata.transact(async (tx) => {
      const policy = await tx.iam.find('policy', principal.accountId, found.policy.name)
      if (policy === undefined) throw policyNotFound(arn)
      return work(policy, tx)
    })
  }

  async #find(
    { iam }: MetadataReader,
    principal: Principal,
    action: IamAction,
    arn: string,
    details: RequestDetails = {},
  ): Promise<PolicyRef> {
    const parsed = parseIamArn(arn)
    if (parsed?.kind !== 'policy') throw invalidInput(`ARN ${arn} is not valid.`)
    const { accountId } = principal
    // AWS's own are in every account.
    const owner = parsed.accountId === 'aws' ? accountId : parsed.accountId
    const found = await findPolicy(iam, accountId, this.#entities.partition, arn)
    const tags = found?.owner === 'account' ? found.policy.tags : []
    await this.#entities.authorizeTagged(
      principal,
      action,
      { arn, ownerAccountId: owner, tags: async () => tags },
      details,
    )
    if (found === undefined) throw policyNotFound(arn)
    return found
  }

  async #versionsOf(ref: PolicyRef): Promise<readonly ShownVersion[]> {
    if (ref.owner === 'aws') return [{ version: ref.policy.version, isDefault: true }]
    const versions = await this.#entities.metadata.view.iam.listVersions(ref.policy.id)
    const { defaultVersion } = ref.policy.attributes
    return versions.map((version) => ({ version, isDefault: version.number === defaultVersion }))
  }

  #arnOf({ owner, policy }: PolicyRef): string {
    if (owner === 'account') return this.#entities.arnOf(policy)
    return `arn:${this.#entities.partition}:iam::aws:policy${policy.path}${policy.name}`
  }

  #shown(ref: PolicyRef, use: PolicyUse): ShownPolicy {
    const { name, path, uniqueId } = ref.policy
    const named = { arn: this.#arnOf(ref), name, path, uniqueId, use }
    if (ref.owner === 'aws') {
      const { description, isAttachable, version } = ref.policy
      const { number: defaultVersion, createdAt } = version
      return { ...named, description, isAttachable, defaultVersion, createdAt, updatedAt: createdAt, tags: [] }
    }
    const { attributes, createdAt, tags } = ref.policy
    const { description, defaultVersion, updatedAt } = attributes
    return {
      ...named,
      description,
      isAttachable: true,
      defaultVersion,
      createdAt,
      updatedAt: new Date(updatedAt),
      tags,
    }
  }
}

function checkText(text: string): void {
  if (policySize(text) > POLICY_SIZES.managed) throw quotaExceeded('PolicySize', POLICY_SIZES.managed)
  checkIdentityPolicy(text)
}

function changed(policy: ManagedPolicy, versions: Partial<ManagedPolicy['attributes']>, at: Date): ManagedPolicy {
  return { ...policy, attributes: { ...policy.attributes, ...versions, updatedAt: at.getTime() } }
}

function isUsed({ attachmentCount, boundaryCount }: PolicyUse, { onlyAttached, usage }: PolicyFilter): boolean {
  if (usage === 'PermissionsPolicy') return attachmentCount > 0
  if (usage === 'PermissionsBoundary') return boundaryCount > 0
  return !onlyAttached || attachmentCount > 0
}

function sortKey({ name, arn }: ShownPolicy): string {
  return `${nameKey(name)} ${arn}`
}
