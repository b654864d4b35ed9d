import type { Region, Registry, RegistryId } from '../../domain/names.ts'

/** The registry that a row belongs to. */
export function registryOfRow(row: { readonly account_id: string; readonly region: string }): Registry {
  return { registryId: row.account_id as RegistryId, region: row.region as Region }
}
