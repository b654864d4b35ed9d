import type { AttachedPolicy } from '../../services/iam/attachments.ts'
import type { PageOf } from '../../services/paging.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const attachUserPolicy: IamOperation<'AttachUserPolicy'> = async (input, { principal, attachments }) => {
  await attachments.attach(principal, 'user', input.UserName, input.PolicyArn)
  return {}
}

export const attachGroupPolicy: IamOperation<'AttachGroupPolicy'> = async (input, { principal, attachments }) => {
  await attachments.attach(principal, 'group', input.GroupName, input.PolicyArn)
  return {}
}

export const attachRolePolicy: IamOperation<'AttachRolePolicy'> = async (input, { principal, attachments }) => {
  await attachments.attach(principal, 'role', input.RoleName, input.PolicyArn)
  return {}
}

export const detachUserPolicy: IamOperation<'DetachUserPolicy'> = async (input, { principal, attachments }) => {
  await attachments.detach(principal, 'user', input.UserName, input.PolicyArn)
  return {}
}

export const detachGroupPolicy: IamOperation<'DetachGroupPolicy'> = async (input, { principal, attachments }) => {
  await attachments.detach(principal, 'group', input.GroupName, input.PolicyArn)
  return {}
}

export const detachRolePolicy: IamOperation<'DetachRolePolicy'> = async (input, { principal, attachments }) => {
  await attachments.detach(principal, 'role', input.RoleName, input.PolicyArn)
  return {}
}

export const listAttachedUserPolicies: IamOperation<'ListAttachedUserPolicies'> = async (input, call) => {
  const { UserName, PathPrefix = '/' } = input
  return output(await call.attachments.list(call.principal, 'user', UserName, PathPrefix, pagingOf(input)))
}

export const listAttachedGroupPolicies: IamOperation<'ListAttachedGroupPolicies'> = async (input, call) => {
  const { GroupName, PathPrefix = '/' } = input
  return output(await call.attachments.list(call.principal, 'group', GroupName, PathPrefix, pagingOf(input)))
}

export const listAttachedRolePolicies: IamOperation<'ListAttachedRolePolicies'> = async (input, call) => {
  const { RoleName, PathPrefix = '/' } = input
  return output(await call.attachments.list(call.principal, 'role', RoleName, PathPrefix, pagingOf(input)))
}

function output(page: PageOf<AttachedPolicy>) {
  const policies = page.items.map(({ name, arn }) => ({ PolicyName: name, PolicyArn: arn }))
  return { AttachedPolicies: policies, ...pageFacts(page) }
}
