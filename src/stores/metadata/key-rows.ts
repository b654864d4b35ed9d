import type { Selectable } from 'kysely'
import type { Grant, GrantConstraints, GrantOperation } from '../../domain/kms/grant.ts'
import type { KeyAlias, KeyState, KmsKey } from '../../domain/kms/key.ts'
import { registryOfRow } from './registry-row.ts'
import type { KmsAliasesTable, KmsGrantsTable, KmsKeysTable } from './schema/kms.ts'

type KeyRow = Selectable<KmsKeysTable>
type GrantRow = Selectable<KmsGrantsTable>
type AliasRow = Selectable<KmsAliasesTable>

export function toKey(row: Omit<KeyRow, 'material_id'>): KmsKey {
  const { deletion_at, deletion_window_days, rotation_period_days, rotates_at } = row
  const isPending = deletion_at !== null && deletion_window_days !== null
  const isRotated = rotation_period_days !== null && rotates_at !== null
  return {
    id: row.id,
    keyId: row.key_id,
    home: registryOfRow(row),
    manager: row.manager === 'AWS' ? 'AWS' : 'CUSTOMER',
    state: row.state as KeyState,
    description: row.description,
    policy: row.policy,
    createdAt: new Date(row.created_at),
    deletion: isPending ? { at: new Date(deletion_at), windowDays: deletion_window_days } : undefined,
    rotation: isRotated ? { periodDays: rotation_period_days, nextAt: new Date(rotates_at) } : undefined,
  }
}

/** What of a key may change. */
export function keyValues({ state, description, policy, deletion, rotation }: Omit<KmsKey, 'id'>) {
  return {
    state,
    description,
    policy,
    deletion_at: deletion?.at.getTime() ?? null,
    deletion_window_days: deletion?.windowDays ?? null,
    rotation_period_days: rotation?.periodDays ?? null,
    rotates_at: rotation?.nextAt.getTime() ?? null,
  }
}

export function toAlias(row: AliasRow): KeyAlias {
  return {
    home: registryOfRow(row),
    name: row.name,
    keyId: row.key_id,
    createdAt: new Date(row.created_at),
    updatedAt: new Date(row.updated_at),
  }
}

export function toGrant(row: GrantRow): Grant {
  return {
    grantId: row.grant_id,
    token: row.token,
    name: row.name ?? undefined,
    grantee: row.grantee,
    retiringPrincipal: row.retiring_principal ?? undefined,
    operations: JSON.parse(row.operations) as GrantOperation[],
    constraints: row.constraints === null ? undefined : (JSON.parse(row.constraints) as GrantConstraints),
    issuingAccount: row.issuing_account,
    createdAt: new Date(row.created_at),
  }
}

export function toGrantRow(id: number, grant: Grant): GrantRow {
  return {
    kms_key_id: id,
    grant_id: grant.grantId,
    token: grant.token,
    name: grant.name ?? null,
    grantee: grant.grantee,
    retiring_principal: grant.retiringPrincipal ?? null,
    operations: JSON.stringify(grant.operations),
    constraints: grant.constraints === undefined ? null : JSON.stringify(grant.constraints),
    issuing_account: grant.issuingAccount,
    created_at: grant.createdAt.getTime(),
  }
}
