import { expect } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Digest, type DigestAlgorithm, parseDigest } from '../../src/domain/digest.ts'
import type { ErrorCode } from '../../src/domain/errors.ts'
import { type BlobAddress, PLAIN, type Vault } from '../../src/domain/vault.ts'
import type { BlobBody, BlobStore } from '../../src/stores/blobs.ts'

/** The digest by an implementation that is not the one under test. */
export function digestOf(bytes: Uint8Array, algorithm: DigestAlgorithm = 'sha256'): Digest {
  return parseDigest(`${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}`)
}

/** Bytes that look random, the same every time, of which no two stretches are alike. */
export function someBytes(sizeBytes: number, seed = 1): Uint8Array<ArrayBuffer> {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4))
  let state = seed
  for (let index = 0; index < words.length; index++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    words[index] = state ^ (state >>> 15)
  }
  return new Uint8Array(words.buffer, 0, sizeBytes)
}

export async function* chunksOf(bytes: Uint8Array, chunkBytes = 65_536): AsyncGenerator<Uint8Array, void, void> {
  for (let at = 0; at < bytes.byteLength; at += chunkBytes) yield bytes.slice(at, at + chunkBytes)
}

export async function bytesOf(body: BlobBody): Promise<Uint8Array> {
  return new Response(body).bytes()
}

/** Where bytes of that digest lie that are not encrypted. */
export const plain = (digest: Digest): BlobAddress => ({ vault: PLAIN, digest })

/** Stages and commits some bytes. */
export async function storeBlob(store: BlobStore, bytes: Uint8Array, vault: Vault = PLAIN): Promise<Digest> {
  const digest = digestOf(bytes)
  const key = await store.startUpload(vault)
  await store.append(key, 0, chunksOf(bytes))
  await store.commit(key, digest)
  return digest
}

/** The code of what a promise is rejected with; fails the test when it is not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  const outcome = await promise.then(
    () => ({ thrown: undefined }),
    (thrown: unknown) => ({ thrown }),
  )
  expect(outcome.thrown).toBeInstanceOf(Error)
  return outcome.thrown
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  expect(await rejection(promise)).toHaveProperty('code', code)
}
