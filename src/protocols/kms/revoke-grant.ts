import type { KmsOperation } from './operation.ts'

export const revokeGrant: KmsOperation<'RevokeGrant'> = async ({ KeyId, GrantId, DryRun }, call) => {
  await call.keyGrants.revoke(call, KeyId, GrantId, DryRun)
  return {}
}
