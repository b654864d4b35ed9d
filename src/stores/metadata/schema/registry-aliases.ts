import type { RegistryAlias } from '../../../domain/public-registry.ts'

/** The names under which public registries are found; each leads to one of them. */
export interface RegistryAliasesTable {
  name: string
  account_id: string
  status: RegistryAlias['status']
  is_primary: number
  is_default: number
}
