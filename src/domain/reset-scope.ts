import type { Region, RegistryId, RepositoryRef } from './names.ts'

/** What a reset empties: one repository, or every registry that has this account and this region, where they are given. */
export type ResetScope =
  | { readonly repository: RepositoryRef }
  | { readonly registryId: RegistryId | undefined; readonly region: Region | undefined }

/** What a reset did. */
export interface ResetReport {
  /** How many repositories are gone by it. */
  readonly repositories: number
}
