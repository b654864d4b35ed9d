import { expect, test } from 'bun:test'
import { parseDigest } from '../domain/digest.ts'
import { PLAIN, SERVER_VAULT, type Vault } from '../domain/vault.ts'
import type { BackedUpBlob } from './backup-format.ts'
import { KnownObjects, mergedBlobs } from './known-objects.ts'

const digest = (n: number) => parseDigest(`sha256:${n.toString(16).padStart(64, '0')}`)
const blob = (n: number, object = n + 1000, vault: Vault = SERVER_VAULT): BackedUpBlob => ({
  vault,
  digest: digest(n),
  object: digest(object),
  sizeBytes: 1,
  storedAtMs: 1,
})

async function* list(...blobs: readonly BackedUpBlob[]) {
  yield* blobs
}

test('lists are read along with the blobs that are asked for, and the later one counts', async () => {
  const known = new KnownObjects([list(blob(1), blob(3), blob(7)), list(blob(3, 5), blob(9))])
  await known.advance([blob(1), blob(2), blob(3)])
  expect([1, 2, 3, 7].map((n) => known.find(blob(n))?.object)).toEqual([digest(1001), undefined, digest(5), undefined])
  await known.advance([blob(8), blob(9)])
  expect([3, 8, 9].map((n) => known.find(blob(n))?.object)).toEqual([undefined, undefined, digest(1009)])
  await known.advance([blob(20)])
  expect(known.find(blob(20))).toBeUndefined()
  await known.close()
})

test('what several lists have comes once, in order, and in each form that it has', async () => {
  const found: string[] = []
  const lists = [list(blob(1), blob(2, 4, PLAIN), blob(2)), list(), list(blob(1), blob(2, 3), blob(6))]
  for await (const one of mergedBlobs(lists))
    found.push(`${Number(`0x${one.digest.slice(7)}`)}>${Number(`0x${one.object.slice(7)}`)}`)
  expect(found.toSorted()).toEqual(['1>1001', '2>1002', '2>3', '2>4', '6>1006'].toSorted())
})
