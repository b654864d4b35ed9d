import type { GrantListEntry } from '@aws-sdk/client-kms'
import type { Grant } from '../../domain/kms/grant.ts'
import { type KmsKey, keyArn } from '../../domain/kms/key.ts'
import { issuerArn } from '../../services/kms/key-grants.ts'
import type { KmsOperation } from './operation.ts'
import { pagingOf, truncation } from './pages.ts'

export const listGrants: KmsOperation<'ListGrants'> = async (input, call) => {
  const { KeyId, GrantId: grantId, GranteePrincipal: grantee } = input
  const { key, page } = await call.keyGrants.list(call, KeyId, { grantId, grantee }, pagingOf(input, 50))
  return { Grants: page.items.map((grant) => grantOutput(grant, key)), ...truncation(page) }
}

function grantOutput(grant: Grant, key: KmsKey): GrantListEntry {
  const { equals, subset } = grant.constraints ?? {}
  return {
    KeyId: keyArn(key),
    GrantId: grant.grantId,
    Name: grant.name,
    CreationDate: grant.createdAt,
    GranteePrincipal: grant.grantee,
    RetiringPrincipal: grant.retiringPrincipal,
    IssuingAccount: issuerArn(grant, key),
    Operations: [...grant.operations],
    Constraints:
      grant.constraints === undefined
        ? undefined
        : {
            ...(equals === undefined ? {} : { EncryptionContextEquals: equals }),
            ...(subset === undefined ? {} : { EncryptionContextSubset: subset }),
          },
  }
}
