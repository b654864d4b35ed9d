import { givenTags, tagsOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const tagUser: IamOperation<'TagUser'> = async (input, { principal, entityTags }) => {
  await entityTags.put(principal, 'User', input.UserName, givenTags(input.Tags))
  return {}
}

export const tagRole: IamOperation<'TagRole'> = async (input, { principal, entityTags }) => {
  await entityTags.put(principal, 'Role', input.RoleName, givenTags(input.Tags))
  return {}
}

export const tagPolicy: IamOperation<'TagPolicy'> = async (input, { principal, entityTags }) => {
  await entityTags.put(principal, 'Policy', input.PolicyArn, givenTags(input.Tags))
  return {}
}

export const tagOpenIDConnectProvider: IamOperation<'TagOpenIDConnectProvider'> = async (input, call) => {
  const { OpenIDConnectProviderArn: arn, Tags } = input
  await call.entityTags.put(call.principal, 'OpenIDConnectProvider', arn, givenTags(Tags))
  return {}
}

export const untagUser: IamOperation<'UntagUser'> = async (input, { principal, entityTags }) => {
  await entityTags.remove(principal, 'User', input.UserName, input.TagKeys)
  return {}
}

export const untagRole: IamOperation<'UntagRole'> = async (input, { principal, entityTags }) => {
  await entityTags.remove(principal, 'Role', input.RoleName, input.TagKeys)
  return {}
}

export const untagPolicy: IamOperation<'UntagPolicy'> = async (input, { principal, entityTags }) => {
  await entityTags.remove(principal, 'Policy', input.PolicyArn, input.TagKeys)
  return {}
}

export const untagOpenIDConnectProvider: IamOperation<'UntagOpenIDConnectProvider'> = async (input, call) => {
  const { OpenIDConnectProviderArn: arn, TagKeys } = input
  await call.entityTags.remove(call.principal, 'OpenIDConnectProvider', arn, TagKeys)
  return {}
}

export const listUserTags: IamOperation<'ListUserTags'> = async (input, { principal, entityTags }) => {
  const page = await entityTags.list(principal, 'User', input.UserName, pagingOf(input))
  return { Tags: tagsOutput(page.items), ...pageFacts(page) }
}

export const listRoleTags: IamOperation<'ListRoleTags'> = async (input, { principal, entityTags }) => {
  const page = await entityTags.list(principal, 'Role', input.RoleName, pagingOf(input))
  return { Tags: tagsOutput(page.items), ...pageFacts(page) }
}

export const listPolicyTags: IamOperation<'ListPolicyTags'> = async (input, { principal, entityTags }) => {
  const page = await entityTags.list(principal, 'Policy', input.PolicyArn, pagingOf(input))
  return { Tags: tagsOutput(page.items), ...pageFacts(page) }
}

export const listOpenIDConnectProviderTags: IamOperation<'ListOpenIDConnectProviderTags'> = async (input, call) => {
  const { OpenIDConnectProviderArn: arn } = input
  const page = await call.entityTags.list(call.principal, 'OpenIDConnectProvider', arn, pagingOf(input))
  return { Tags: tagsOutput(page.items), ...pageFacts(page) }
}
