import type { StsOperation } from './operation.ts'

/** Who is calling. Needs no permission: whoever signed may ask. */
export const getCallerIdentity: StsOperation<'GetCallerIdentity'> = async (_input, { principal }) => ({
  Arn: principal.arn,
  UserId: principal.userId,
  Account: principal.accountId,
})
