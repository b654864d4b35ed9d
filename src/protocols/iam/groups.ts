import { groupOutput, listedUser } from './entity-output.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const createGroup: IamOperation<'CreateGroup'> = async ({ GroupName, Path = '/' }, call) => ({
  Group: groupOutput(await call.groups.create(call.principal, GroupName, Path), call),
})

export const getGroup: IamOperation<'GetGroup'> = async (input, call) => {
  const { group, members } = await call.groups.get(call.principal, input.GroupName, pagingOf(input))
  const users = members.items.map((user) => listedUser(user, call))
  return { Group: groupOutput(group, call), Users: users, ...pageFacts(members) }
}

export const listGroups: IamOperation<'ListGroups'> = async (input, call) => {
  const page = await call.groups.list(call.principal, input.PathPrefix, pagingOf(input))
  return { Groups: page.items.map((group) => groupOutput(group, call)), ...pageFacts(page) }
}

export const listGroupsForUser: IamOperation<'ListGroupsForUser'> = async (input, call) => {
  const page = await call.groups.listOf(call.principal, input.UserName, pagingOf(input))
  return { Groups: page.items.map((group) => groupOutput(group, call)), ...pageFacts(page) }
}

export const deleteGroup: IamOperation<'DeleteGroup'> = async ({ GroupName }, { principal, groups }) => {
  await groups.delete(principal, GroupName)
  return {}
}

export const addUserToGroup: IamOperation<'AddUserToGroup'> = async (input, { principal, groups }) => {
  await groups.addMember(principal, input.GroupName, input.UserName)
  return {}
}

export const removeUserFromGroup: IamOperation<'RemoveUserFromGroup'> = async (input, { principal, groups }) => {
  await groups.removeMember(principal, input.GroupName, input.UserName)
  return {}
}
