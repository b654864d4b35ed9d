import { expect, test } from 'bun:test'
import { userPrincipal } from '../../src/domain/principal.ts'
import { addImage, addRepository, OTHER_REGISTRY, REGISTRY, refOf, type StoreOf } from './metadata-store-records.ts'

export const principal = userPrincipal(REGISTRY.registryId, 'arn:aws:iam::123456789012:user/ci', 'AIDACI', 'AKIACI')

export function signingCases(store: StoreOf): void {
  const request = async (imageId: number, ...profiles: readonly string[]) => {
    const repository = await store().view.repositories.find(refOf('app'))
    const image = (await store().view.images.list(repository?.id ?? 0, {}, { limit: 10 })).find(
      ({ id }) => id === imageId,
    )
    if (image === undefined) throw new Error('no such image')
    return store().transact((tx) => tx.signings.request(image, profiles, principal))
  }
  const unfinished = async () => (await store().view.signings.listUnfinished({ limit: 10 })).map(({ id }) => id)

  test("a registry's configuration comes back as it was put, is replaced and removed", async () => {
    const { view } = store()
    const first = { rules: [{ profileArn: 'a', repositoryFilters: ['prod/*', '*'] }, { profileArn: 'b' }] }
    expect(await view.signings.findConfiguration(REGISTRY)).toBeUndefined()
    await store().transact((tx) => tx.signings.putConfiguration(REGISTRY, first))
    expect(await view.signings.findConfiguration(REGISTRY)).toEqual(first)
    expect(await view.signings.findConfiguration(OTHER_REGISTRY)).toBeUndefined()
    await store().transact((tx) => tx.signings.putConfiguration(REGISTRY, { rules: [] }))
    expect(await store().transact((tx) => tx.signings.deleteConfiguration(REGISTRY))).toEqual({ rules: [] })
    expect(await store().transact((tx) => tx.signings.deleteConfiguration(REGISTRY))).toBeUndefined()
  })

  test('a signature is asked for once by each profile, and again only when it has failed', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const image = await addImage(store(), repositoryId, 1)
    expect(await request(image.id, 'a', 'b')).toBe(2)
    expect(await request(image.id, 'a', 'c')).toBe(1)
    const [first, second] = await store().view.signings.listUnfinished({ limit: 2 })
    expect(first).toMatchObject({ profileArn: 'a', principal, ref: refOf('app'), image: { digest: image.digest } })
    expect(await store().view.signings.listUnfinished({ after: second?.id, limit: 9 })).toMatchObject([
      { profileArn: 'c' },
    ])
    const failure = { code: 'AccessDenied', reason: 'no' }
    expect(await store().transact((tx) => tx.signings.end(first?.id ?? 0))).toBe(true)
    expect(await store().transact((tx) => tx.signings.end(first?.id ?? 0, failure))).toBe(false)
    expect(await store().transact((tx) => tx.signings.end(second?.id ?? 0, failure))).toBe(true)
    expect(await store().view.signings.listOfImage(image.id)).toEqual([
      { profileArn: 'a', status: 'COMPLETE', failure: undefined },
      { profileArn: 'b', status: 'FAILED', failure },
      { profileArn: 'c', status: 'IN_PROGRESS', failure: undefined },
    ])
    expect(await request(image.id, 'a', 'b', 'c')).toBe(1)
    expect(await store().view.signings.listOfImage(image.id)).toMatchObject([
      { status: 'COMPLETE' },
      { status: 'IN_PROGRESS', failure: undefined },
      { status: 'IN_PROGRESS' },
    ])
  })

  test('signings go with their image, and with a deleted repository', async () => {
    const { id: repositoryId } = await addRepository(store(), 'app')
    const images = [await addImage(store(), repositoryId, 1), await addImage(store(), repositoryId, 2)]
    for (const { id } of images) await request(id, 'a')
    expect(await unfinished()).toHaveLength(2)
    const [gone] = await unfinished()
    await store().transact((tx) => tx.images.delete(images[0]?.id ?? 0, new Date()))
    expect(await unfinished()).toHaveLength(1)
    expect(await store().transact((tx) => tx.signings.end(gone ?? 0))).toBe(false)
    await store().transact((tx) => tx.repositories.delete(repositoryId))
    expect(await unfinished()).toEqual([])
    while ((await store().transact((tx) => tx.repositories.purgeDeleted(1))) > 0);
    expect(await store().view.signings.listOfImage(images[1]?.id ?? 0)).toEqual([])
  })
}
