import { expect, test } from 'bun:test'
import { SERVER_VAULT } from '../../src/domain/vault.ts'
import { plain } from './blob-bytes.ts'
import { digestOf, type StoreOf } from './metadata-store-records.ts'

const AT = new Date(1_000)
const LATER = new Date(2_000)

export function inventoryCases(store: StoreOf): void {
  const layer = digestOf('layer')
  const facts = (...bytes: readonly number[]) => Uint8Array.from(bytes)
  const find = async (version: number) => {
    const found = await store().view.inventories.findFacts(plain(layer), version)
    return found && [...found]
  }

  test('what was found in a layer comes back, for the version that found it', async () => {
    await store().transact((tx) => tx.blobs.claim(plain(layer), AT))
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 1, facts(0, 1, 255), AT))
    expect(await find(1)).toEqual([0, 1, 255])
    expect(await find(2)).toBeUndefined()
    expect(await store().view.inventories.findFacts(plain(digestOf('other')), 1)).toBeUndefined()
  })

  test('what a newer version finds takes its place', async () => {
    await store().transact((tx) => tx.blobs.claim(plain(layer), AT))
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 1, facts(1), AT))
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 2, facts(2), LATER))
    expect(await find(1)).toBeUndefined()
    expect(await find(2)).toEqual([2])
  })

  test('nothing is kept of a layer that is not recorded', async () => {
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 1, facts(1), AT))
    expect(await find(1)).toBeUndefined()
  })

  test('it goes when the layer is forgotten, and stays when it is not', async () => {
    await store().transact((tx) => tx.blobs.claim(plain(layer), AT))
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 1, facts(1), AT))
    await store().transact((tx) => tx.blobs.forget(plain(layer)))
    expect(await find(1)).toEqual([1])
    await store().transact((tx) => tx.blobs.mark(plain(layer), LATER))
    await store().transact((tx) => tx.blobs.forget(plain(layer)))
    expect(await find(1)).toBeUndefined()
  })

  test('it is kept once for each vault, and goes with the blob in that', async () => {
    const other = { vault: SERVER_VAULT, digest: layer }
    const findOther = () => store().view.inventories.findFacts(other, 1)
    for (const address of [plain(layer), other]) await store().transact((tx) => tx.blobs.claim(address, AT))
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 1, facts(1), AT))
    expect(await findOther()).toBeUndefined()
    await store().transact((tx) => tx.inventories.putFacts(other, 1, facts(2), AT))
    const forget = async (address: typeof other) => {
      await store().transact((tx) => tx.blobs.mark(address, LATER))
      await store().transact((tx) => tx.blobs.forget(address))
    }
    await forget(plain(layer))
    expect(await find(1)).toBeUndefined()
    expect([...((await findOther()) ?? [])]).toEqual([2])
    await store().transact((tx) => tx.inventories.putFacts(plain(layer), 1, facts(3), AT))
    await forget(other)
    expect([await find(1), await findOther()]).toEqual([undefined, undefined])
  })
}
