import { expect, test } from 'bun:test'
import type { Page } from '../../src/stores/metadata.ts'
import { minute, OTHER_REGISTRY, REGISTRY, type StoreOf, turnPages } from './metadata-store-records.ts'

export function accountCases(store: StoreOf): void {
  const accounts = () => store().view.accounts
  const arnOf = (n: number) => `arn:aws:iam::123456789012:role/r${n}`

  test('settings are kept for each region, the last value that was put', async () => {
    const put = (value: string) => store().transact((tx) => tx.accounts.putSetting(REGISTRY, 'BLOB_MOUNTING', value))
    expect(await accounts().findSetting(REGISTRY, 'BLOB_MOUNTING')).toBeUndefined()
    await put('ENABLED')
    expect(await accounts().findSetting(REGISTRY, 'BLOB_MOUNTING')).toBe('ENABLED')
    await put('DISABLED')
    expect(await accounts().findSetting(REGISTRY, 'BLOB_MOUNTING')).toBe('DISABLED')
    expect(await accounts().findSetting(REGISTRY, 'OTHER')).toBeUndefined()
    expect(await accounts().findSetting(OTHER_REGISTRY, 'BLOB_MOUNTING')).toBeUndefined()
  })

  test('a setting that was put is a change of who may do what', async () => {
    const { policyRevision } = store()
    await store().transact((tx) => tx.accounts.putSetting(REGISTRY, 'REGISTRY_POLICY_SCOPE', 'V1'))
    expect(store().policyRevision).not.toBe(policyRevision)
  })

  test('pull-time exclusions are kept once each and page in ascending order', async () => {
    const insert = (n: number, registry = REGISTRY) =>
      store().transact((tx) => tx.accounts.insertPullTimeExclusion(registry, arnOf(n), minute(n)))
    for (const n of [3, 1, 4, 2, 5]) expect(await insert(n)).toBe(true)
    expect(await insert(3)).toBe(false)
    expect(await insert(9, OTHER_REGISTRY)).toBe(true)
    const list = () =>
      turnPages(
        2,
        (page: Page<string>) => accounts().listPullTimeExclusions(REGISTRY, page),
        (arn) => arn,
      )
    expect(await list()).toEqual([1, 2, 3, 4, 5].map(arnOf))
    const remove = (n: number) => store().transact((tx) => tx.accounts.deletePullTimeExclusion(REGISTRY, arnOf(n)))
    expect(await remove(4)).toBe(true)
    expect(await remove(4)).toBe(false)
    expect(await remove(9)).toBe(false)
    expect(await list()).toEqual([1, 2, 3, 5].map(arnOf))
  })
}
