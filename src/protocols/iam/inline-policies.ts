import { documentOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const putUserPolicy: IamOperation<'PutUserPolicy'> = async (input, { principal, inlinePolicies }) => {
  const policy = { name: input.PolicyName, text: input.PolicyDocument }
  await inlinePolicies.put(principal, 'user', input.UserName, policy)
  return {}
}

export const putGroupPolicy: IamOperation<'PutGroupPolicy'> = async (input, { principal, inlinePolicies }) => {
  const policy = { name: input.PolicyName, text: input.PolicyDocument }
  await inlinePolicies.put(principal, 'group', input.GroupName, policy)
  return {}
}

export const putRolePolicy: IamOperation<'PutRolePolicy'> = async (input, { principal, inlinePolicies }) => {
  const policy = { name: input.PolicyName, text: input.PolicyDocument }
  await inlinePolicies.put(principal, 'role', input.RoleName, policy)
  return {}
}

export const getUserPolicy: IamOperation<'GetUserPolicy'> = async (input, { principal, inlinePolicies }) => {
  const { entity, policy } = await inlinePolicies.get(principal, 'user', input.UserName, input.PolicyName)
  return { UserName: entity.name, PolicyName: policy.name, PolicyDocument: documentOutput(policy.text) }
}

export const getGroupPolicy: IamOperation<'GetGroupPolicy'> = async (input, { principal, inlinePolicies }) => {
  const { entity, policy } = await inlinePolicies.get(principal, 'group', input.GroupName, input.PolicyName)
  return { GroupName: entity.name, PolicyName: policy.name, PolicyDocument: documentOutput(policy.text) }
}

export const getRolePolicy: IamOperation<'GetRolePolicy'> = async (input, { principal, inlinePolicies }) => {
  const { entity, policy } = await inlinePolicies.get(principal, 'role', input.RoleName, input.PolicyName)
  return { RoleName: entity.name, PolicyName: policy.name, PolicyDocument: documentOutput(policy.text) }
}

export const listUserPolicies: IamOperation<'ListUserPolicies'> = async (input, { principal, inlinePolicies }) => {
  const page = await inlinePolicies.list(principal, 'user', input.UserName, pagingOf(input))
  return { PolicyNames: page.items.map(({ name }) => name), ...pageFacts(page) }
}

export const listGroupPolicies: IamOperation<'ListGroupPolicies'> = async (input, { principal, inlinePolicies }) => {
  const page = await inlinePolicies.list(principal, 'group', input.GroupName, pagingOf(input))
  return { PolicyNames: page.items.map(({ name }) => name), ...pageFacts(page) }
}

export const listRolePolicies: IamOperation<'ListRolePolicies'> = async (input, { principal, inlinePolicies }) => {
  const page = await inlinePolicies.list(principal, 'role', input.RoleName, pagingOf(input))
  return { PolicyNames: page.items.map(({ name }) => name), ...pageFacts(page) }
}

export const deleteUserPolicy: IamOperation<'DeleteUserPolicy'> = async (input, { principal, inlinePolicies }) => {
  await inlinePolicies.delete(principal, 'user', input.UserName, input.PolicyName)
  return {}
}

export const deleteGroupPolicy: IamOperation<'DeleteGroupPolicy'> = async (input, { principal, inlinePolicies }) => {
  await inlinePolicies.delete(principal, 'group', input.GroupName, input.PolicyName)
  return {}
}

export const deleteRolePolicy: IamOperation<'DeleteRolePolicy'> = async (input, { principal, inlinePolicies }) => {
  await inlinePolicies.delete(principal, 'role', input.RoleName, input.PolicyName)
  return {}
}
