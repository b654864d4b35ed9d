import type { ResetReport, ResetScope } from '../domain/reset-scope.ts'

/** Empties registries. */
export interface ResetWriter {
  /**
   * Takes the repositories of the scope out of sight, as `RepositoryWriter.delete` does with one, and removes what its
   * registries keep beside them: settings of accounts, pull-time exclusions, registry policies and creation templates.
   * Access keys and secrets stay. A scope that is empty already is fine.
   */
  reset(scope: ResetScope): Promise<ResetReport>
}
