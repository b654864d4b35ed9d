import { invalidInput } from '../../domain/iam-entities/errors.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const createAccessKey: IamOperation<'CreateAccessKey'> = async ({ UserName }, { principal, accessKeys }) => {
  const { key, userName } = await accessKeys.create(principal, UserName)
  return {
    AccessKey: {
      UserName: userName,
      AccessKeyId: key.accessKeyId,
      Status: key.status,
      SecretAccessKey: key.secretAccessKey,
      CreateDate: key.createdAt,
    },
  }
}

export const listAccessKeys: IamOperation<'ListAccessKeys'> = async (input, { principal, accessKeys }) => {
  const page = await accessKeys.list(principal, input.UserName, pagingOf(input))
  const keys = page.items.map(({ key, userName }) => ({
    UserName: userName,
    AccessKeyId: key.accessKeyId,
    Status: key.status,
    CreateDate: key.createdAt,
  }))
  return { AccessKeyMetadata: keys, ...pageFacts(page) }
}

export const updateAccessKey: IamOperation<'UpdateAccessKey'> = async (input, { principal, accessKeys }) => {
  const { UserName, AccessKeyId, Status } = input
  if (Status === 'Expired') throw invalidInput('An access key is made Active or Inactive.')
  await accessKeys.setStatus(principal, UserName, AccessKeyId, Status)
  return {}
}

export const deleteAccessKey: IamOperation<'DeleteAccessKey'> = async (input, { principal, accessKeys }) => {
  await accessKeys.delete(principal, input.UserName, input.AccessKeyId)
  return {}
}

/** What was never used has neither a date nor a place. */
export const getAccessKeyLastUsed: IamOperation<'GetAccessKeyLastUsed'> = async ({ AccessKeyId }, call) => {
  const { key, userName } = await call.accessKeys.getLastUse(call.principal, AccessKeyId)
  const { at, region = 'N/A', service = 'N/A' } = key.lastUsed ?? {}
  return { UserName: userName, AccessKeyLastUsed: { LastUsedDate: at, Region: region, ServiceName: service } }
}
