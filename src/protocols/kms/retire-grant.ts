import { invalidParameter } from '../../domain/errors.ts'
import type { KmsOperation } from './operation.ts'

export const retireGrant: KmsOperation<'RetireGrant'> = async ({ GrantToken, KeyId, GrantId, DryRun }, call) => {
  if (GrantToken !== undefined && KeyId === undefined && GrantId === undefined)
    await call.keyGrants.retire(call, { token: GrantToken }, DryRun)
  else if (GrantToken === undefined && KeyId !== undefined && GrantId !== undefined)
    await call.keyGrants.retire(call, { named: KeyId, grantId: GrantId }, DryRun)
  else throw invalidParameter('grantToken', 'Must provide either a grant token, or a key id and a grant id')
  return {}
}
