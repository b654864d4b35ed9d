import { expect } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { type ErrorCode, RegistryError } from '../../src/domain/errors.ts'
import type { Image, NewImage } from '../../src/domain/image.ts'
import { MUTABLE } from '../../src/domain/mutability.ts'
import {
  parseRegion,
  parseRegistryId,
  parseRepositoryName,
  parseTag,
  type Registry,
  type RepositoryRef,
} from '../../src/domain/names.ts'
import type { NewRepository, Repository } from '../../src/domain/repository.ts'
import { PLAIN } from '../../src/domain/vault.ts'
import type { MetadataStore, Page } from '../../src/stores/metadata.ts'
import { plain } from './blob-bytes.ts'

/** How a part of the suite reaches the store of the running case. */
export type StoreOf = () => MetadataStore

export const REGISTRY: Registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }
export const OTHER_REGISTRY: Registry = {
  registryId: parseRegistryId('123456789012'),
  region: parseRegion('us-east-1'),
}

/** A moment, in minutes after some beginning. */
export const minute = (minutes: number): Date => new Date(Date.UTC(2026, 0, 1) + minutes * 60_000)

export const digestOf = (seed: string | number): Digest =>
  parseDigest(`sha256:${createHash('sha256').update(String(seed)).digest('hex')}`)

export const refOf = (name: string, registry: Registry = REGISTRY): RepositoryRef => ({
  registry,
  name: parseRepositoryName(name),
})

export const newRepository = (name: string, registry: Registry = REGISTRY): NewRepository => ({
  ...refOf(name, registry),
  createdAt: minute(0),
  mutability: MUTABLE,
  isScannedOnPush: false,
  encryption: { type: 'AES256' },
})

export const newImage = (repositoryId: number, seed: string | number, given: Partial<NewImage> = {}): NewImage => ({
  repositoryId,
  digest: digestOf(seed),
  mediaType: 'application/vnd.oci.image.manifest.v1+json',
  sizeBytes: 1000,
  manifestSizeBytes: 4,
  pushedAt: minute(1),
  vault: PLAIN,
  manifest: new TextEncoder().encode(`{"${seed}"}`),
  blobs: [],
  children: [],
  ...given,
})

export const addRepository = (store: MetadataStore, name: string, registry: Registry = REGISTRY): Promise<Repository> =>
  store.transact((tx) => tx.repositories.insert(newRepository(name, registry)))

/** Claims a blob and links it to the repository. */
export const addBlob = (store: MetadataStore, repositoryId: number, digest: Digest, at = minute(1)): Promise<boolean> =>
  store.transact(async (tx) => {
    await tx.blobs.claim(plain(digest), at)
    return tx.blobs.link(repositoryId, plain(digest), 100, at)
  })

export const addImage = (
  store: MetadataStore,
  repositoryId: number,
  seed: string | number,
  { tags = [], ...given }: Partial<NewImage> & { readonly tags?: readonly string[] } = {},
): Promise<Image> =>
  store.transact(async (tx) => {
    const image = await tx.images.insert(newImage(repositoryId, seed, given))
    for (const tag of tags) await tx.images.putTag(repositoryId, parseTag(tag), image.id, minute(1))
    return image
  })

/** Turns pages until one is not full, and answers all rows. `between` runs after each page. */
export async function turnPages<Row, Key>(
  limit: number,
  fetch: (page: Page<Key>) => Promise<readonly Row[]>,
  keyOf: (row: Row) => Key,
  between: () => Promise<void> = async () => {},
): Promise<readonly Row[]> {
  const all: Row[] = []
  let after: Key | undefined
  for (;;) {
    const page = await fetch({ after, limit })
    expect(page.length).toBeLessThanOrEqual(limit)
    all.push(...page)
    const last = page[page.length - 1]
    if (last === undefined || page.length < limit) return all
    after = keyOf(last)
    await between()
  }
}

/** What the promise was rejected with; fails when it was not. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise
  } catch (thrown) {
    return thrown
  }
  throw new Error('it was not rejected')
}

export async function expectCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  const thrown = await rejection(promise)
  expect(thrown).toBeInstanceOf(RegistryError)
  expect((thrown as RegistryError).code).toBe(code)
}
