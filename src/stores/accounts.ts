import type { Registry } from '../domain/names.ts'

export interface AccountReader {
  /** `undefined` while it was never put. */
  findSetting(registry: Registry, name: string): Promise<string | undefined>
  /** The principals whose pulls leave no pull time, in ascending order. */
  listPullTimeExclusions(
    registry: Registry,
    page: { readonly after?: string | undefined; readonly limit: number },
  ): Promise<readonly string[]>
}

/** What an account has settled for one region. */
export interface AccountWriter extends AccountReader {
  putSetting(registry: Registry, name: string, value: string): Promise<void>
  /** False when it was there already. */
  insertPullTimeExclusion(registry: Registry, principalArn: string, at: Date): Promise<boolean>
  /** False when it was not there. */
  deletePullTimeExclusion(registry: Registry, principalArn: string): Promise<boolean>
}
