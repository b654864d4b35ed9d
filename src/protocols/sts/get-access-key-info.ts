import { accountOfAccessKeyId } from '../../domain/access-key-id.ts'
import { checkMayCallSts } from '../../domain/session-limits.ts'
import { validationError } from '../../domain/sts-errors.ts'
import type { StsOperation } from './operation.ts'

/** The account is part of the id; whether the key exists is not said. */
export const getAccessKeyInfo: StsOperation<'GetAccessKeyInfo'> = async (input, { principal, userSessions }) => {
  checkMayCallSts(principal, 'GetAccessKeyInfo')
  await userSessions.authorize(principal, 'sts:GetAccessKeyInfo')
  const account = accountOfAccessKeyId(input.AccessKeyId ?? '')
  if (account === undefined) throw validationError('Invalid Access Key ID')
  return { Account: account }
}
