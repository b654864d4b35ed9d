import type { Policy } from '@aws-sdk/client-iam'
import type { Entity } from '../../domain/iam-entities/entity.ts'
import type { ShownPolicy } from '../../services/iam/managed-policies.ts'
import { pageOfAll } from '../../services/iam/markers.ts'
import { givenTags, tagsOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const createPolicy: IamOperation<'CreatePolicy'> = async (input, { principal, managedPolicies }) => {
  const policy = await managedPolicies.create(principal, {
    name: input.PolicyName,
    path: input.Path ?? '/',
    text: input.PolicyDocument,
    description: input.Description,
    tags: givenTags(input.Tags),
  })
  // The answer to a creation says nothing of the description.
  return { Policy: { ...listed(policy), ...tagsIfAny(policy) } }
}

export const getPolicy: IamOperation<'GetPolicy'> = async ({ PolicyArn }, { principal, managedPolicies }) => {
  const policy = await managedPolicies.get(principal, PolicyArn)
  return { Policy: { ...listed(policy), Description: policy.description, Tags: tagsOutput(policy.tags) } }
}

export const listPolicies: IamOperation<'ListPolicies'> = async (input, { principal, managedPolicies }) => {
  const filter = {
    scope: input.Scope ?? 'All',
    onlyAttached: input.OnlyAttached ?? false,
    pathPrefix: input.PathPrefix ?? '/',
    usage: input.PolicyUsageFilter,
  }
  const page = await managedPolicies.list(principal, filter, pagingOf(input))
  return { Policies: page.items.map(listed), ...pageFacts(page) }
}

export const deletePolicy: IamOperation<'DeletePolicy'> = async ({ PolicyArn }, { principal, managedPolicies }) => {
  await managedPolicies.delete(principal, PolicyArn)
  return {}
}

/** Kinds as the filter names them. */
const FILTERED: Readonly<Record<string, Entity['kind'] | undefined>> = { User: 'user', Role: 'role', Group: 'group' }

export const listEntitiesForPolicy: IamOperation<'ListEntitiesForPolicy'> = async (input, call) => {
  const { PolicyArn, PolicyUsageFilter, EntityFilter, PathPrefix = '/' } = input
  const all = await call.managedPolicies.listUsers(call.principal, PolicyArn, PolicyUsageFilter)
  const kind = FILTERED[EntityFilter ?? '']
  const isAsked = EntityFilter === undefined || kind !== undefined
  const asked = all.filter((entity) => isAsked && (kind ?? entity.kind) === entity.kind)
  const below = asked.filter(({ path }) => path.startsWith(PathPrefix))
  const page = pageOfAll(below.toSorted(byId), pagingOf(input), ({ uniqueId }) => uniqueId)
  const of = (one: Entity['kind']) => page.items.filter((entity) => entity.kind === one)
  return {
    PolicyGroups: of('group').map(({ name, uniqueId }) => ({ GroupName: name, GroupId: uniqueId })),
    PolicyUsers: of('user').map(({ name, uniqueId }) => ({ UserName: name, UserId: uniqueId })),
    PolicyRoles: of('role').map(({ name, uniqueId }) => ({ RoleName: name, RoleId: uniqueId })),
    ...pageFacts(page),
  }
}

function byId(a: Entity, b: Entity): number {
  return a.uniqueId < b.uniqueId ? -1 : 1
}

/** A policy as lists show it. */
function listed(policy: ShownPolicy): Policy {
  return {
    PolicyName: policy.name,
    PolicyId: policy.uniqueId,
    Arn: policy.arn,
    Path: policy.path,
    DefaultVersionId: `v${policy.defaultVersion}`,
    AttachmentCount: policy.use.attachmentCount,
    PermissionsBoundaryUsageCount: policy.use.boundaryCount,
    IsAttachable: policy.isAttachable,
    CreateDate: policy.createdAt,
    UpdateDate: policy.updatedAt,
  }
}

function tagsIfAny({ tags }: ShownPolicy) {
  return tags.length === 0 ? {} : { Tags: tagsOutput(tags) }
}
