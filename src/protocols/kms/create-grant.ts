import type { KmsOperation } from './operation.ts'

export const createGrant: KmsOperation<'CreateGrant'> = async (input, call) => {
  const { EncryptionContextEquals: equals, EncryptionContextSubset: subset } = input.Constraints ?? {}
  const hasConstraints = equals !== undefined || subset !== undefined
  const grant = await call.keyGrants.create(call, input.KeyId, {
    // The model requires it, though the newest SDK does not.
    grantee: input.GranteePrincipal ?? '',
    retiringPrincipal: input.RetiringPrincipal,
    operations: input.Operations,
    constraints: hasConstraints ? { equals, subset } : undefined,
    name: input.Name,
    grantTokens: input.GrantTokens,
    isDryRun: input.DryRun,
  })
  return { GrantId: grant.grantId, GrantToken: grant.token }
}
