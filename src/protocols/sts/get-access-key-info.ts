import type { StsOperation } from './operation.ts'

export const getAccessKeyInfo: StsOperation<'GetAccessKeyInfo'> = async (input, { principal, userSessions }) => ({
  Account: await userSessions.accountOfKey(principal, input.AccessKeyId ?? ''),
})
