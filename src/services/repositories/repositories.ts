import {
  invalidTagParameter,
  limitExceeded,
  repositoryNotEmpty,
  repositoryNotFound,
  tooManyTags,
} from '../../domain/errors.ts'
import { MUTABLE, type TagMutability } from '../../domain/mutability.ts'
import type { Registry, RepositoryName, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { Quotas } from '../../domain/quotas.ts'
import type { EncryptionWish, Repository, ResourceTag } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataReader, MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access, Action } from '../access/access.ts'
import { AES256, type ChosenEncryption, type RepositoryKeys } from '../encryption/repository-keys.ts'
import { tellRepository } from '../images/image-events.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import {
  checkResourceTags,
  isReservedKey,
  type MutabilitySettings,
  RESOURCE_TAGS_MAX,
  tagMutability,
} from './repository-settings.ts'

export interface RepositorySettings {
  readonly mutability?: MutabilitySettings | undefined
  readonly isScannedOnPush?: boolean | undefined
  readonly encryption?: EncryptionWish | undefined
  readonly tags?: readonly ResourceTag[] | undefined
  /** Gives it, in the transaction that makes it, what others keep for it. */
  readonly complete?: ((tx: MetadataWriter, repository: Repository) => Promise<void>) | undefined
}

/** What a repository is made of that nobody describes by a call. */
export interface Blueprint {
  readonly mutability: TagMutability
  readonly tags: readonly ResourceTag[]
  readonly encryption?: ChosenEncryption | undefined
  /** Gives it, in the transaction that makes it, what others keep for it. */
  complete?(tx: MetadataWriter, repository: Repository): Promise<void>
}

/** What repositories go through. */
export interface RepositoryParts {
  readonly metadata: MetadataStore
  readonly access: Access
  readonly keys: RepositoryKeys
  readonly clock: Clock
}

export interface RepositoryRules {
  readonly quotas: Quotas
  /** Of public registries; the same when absent. */
  readonly publicQuotas?: Quotas
}

/** Repositories: made, described, tagged, set and deleted. */
export class Repositories {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #clock: Clock
  readonly #keys: RepositoryKeys
  readonly #quotas: Quotas
  readonly #publicQuotas: Quotas

  constructor(parts: RepositoryParts, { quotas, publicQuotas = quotas }: RepositoryRules) {
    this.#metadata = parts.metadata
    this.#access = parts.access
    this.#keys = parts.keys
    this.#clock = parts.clock
    this.#quotas = quotas
    this.#publicQuotas = publicQuotas
  }

  /** Repository and tags in one transaction. Throws `repository-exists`, `invalid-parameter`, `invalid-tag-parameter`, `too-many-tags`, `kms-key-unusable`, `limit-exceeded`. */
  async create(principal: Principal, ref: RepositoryRef, settings: RepositorySettings = {}): Promise<Repository> {
    await this.#authorizeCreation(principal, ref, settings.tags ?? [])
    const tags = checkResourceTags(settings.tags ?? [])
    if (tags.length > RESOURCE_TAGS_MAX) throw tooManyTags(RESOURCE_TAGS_MAX)
    const mutability = settings.mutability === undefined ? MUTABLE : tagMutability(settings.mutability)
    const encryption = await this.#keys.choose(principal, ref, settings.encryption ?? { type: 'AES256' })
    return this.#metadata.transact(async (tx) => {
      const repository = await this.#insert(tx, ref, mutability, settings.isScannedOnPush ?? false, tags, encryption)
      await settings.complete?.(tx, repository)
      return repository
    })
  }

  /** One page of a registry's repositories by name. */
  async list(principal: Principal, registry: Registry, paging: Paging): Promise<PageOf<Repository>> {
    await this.#access.authorize(principal, 'ecr:DescribeRepositories', registry)
    const after = pageAfter(paging) as RepositoryName | undefined
    const rows = await this.#metadata.view.repositories.list(registry, { after, limit: paging.limit + 1 })
    return pageOf(rows, paging.limit, ({ name }) => name)
  }

  /** The names behind `after`, which need not exist, in ascending order. */
  async listNames(
    principal: Principal,
    registry: Registry,
    after: RepositoryName | undefined,
    limit: number,
  ): Promise<{ readonly names: readonly RepositoryName[]; readonly hasMore: boolean }> {
    await this.#access.authorize(principal, 'ecr:DescribeRepositories', registry)
    const rows = await this.#metadata.view.repositories.list(registry, { after, limit: limit + 1 })
    return { names: rows.slice(0, limit).map(({ name }) => name), hasMore: rows.length > limit }
  }

  /** The named ones, in the order asked. Throws `repository-not-found` when one is missing. */
  async getMany(principal: Principal, refs: readonly RepositoryRef[]): Promise<readonly Repository[]> {
    await this.#access.authorizeAll(principal, 'ecr:DescribeRepositories', refs)
    return this.#metadata.read(async (view) => {
      const found: Repository[] = []
      for (const ref of refs) found.push(await getRepository(view, ref))
      return found
    })
  }

  /** Answers what was deleted. Throws `repository-not-found`, `repository-not-empty` (unless forced). */
  async delete(principal: Principal, ref: RepositoryRef, isForced: boolean): Promise<Repository> {
    await this.#access.authorize(principal, 'ecr:DeleteRepository', ref)
    const known = await this.#metadata.view.repositories.find(ref)
    // A repository that is there and cannot be deleted says so first.
    if (known !== undefined && (isForced || (await this.#metadata.view.images.count(known.id)) === 0))
      await this.#keys.release(principal, known)
    return this.#metadata.transact(async (tx) => {
      const repository = await getRepository(tx, ref)
      if (!isForced && (await tx.images.count(repository.id)) > 0) throw repositoryNotEmpty(ref)
      await this.#keys.retire(tx, repository)
      await tx.repositories.delete(repository.id)
      await tellRepository(tx, ref, 'DELETE', this.#clock.now())
      return repository
    })
  }

  /** Acts on later pushes; tags that are set stay as they are. */
  async putMutability(principal: Principal, ref: RepositoryRef, settings: MutabilitySettings): Promise<TagMutability> {
    await this.#access.authorize(principal, 'ecr:PutImageTagMutability', ref)
    const mutability = tagMutability(settings)
    await this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      await tx.repositories.setMutability(id, mutability)
    })
    return mutability
  }

  /** Whether later pushes are scanned. */
  async putScanning(principal: Principal, ref: RepositoryRef, isScannedOnPush: boolean): Promise<void> {
    await this.#access.authorize(principal, 'ecr:PutImageScanningConfiguration', ref)
    await this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      await tx.repositories.setScanning(id, isScannedOnPush)
    })
  }

  async listTags(principal: Principal, ref: RepositoryRef): Promise<readonly ResourceTag[]> {
    await this.#access.authorize(principal, 'ecr:ListTagsForResource', ref)
    return this.#metadata.read(async (view) => view.repositories.listResourceTags((await getRepository(view, ref)).id))
  }

  /** Adds and overwrites. Throws `too-many-tags` when the sum would pass 50; then nothing has changed. */
  async putTags(principal: Principal, ref: RepositoryRef, tags: readonly ResourceTag[]): Promise<void> {
    await this.#access.authorize(principal, 'ecr:TagResource', ref, { requestTags: tags })
    const checked = checkResourceTags(tags)
    await this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      const keys = new Set((await tx.repositories.listResourceTags(id)).map(({ key }) => key))
      for (const { key } of checked) keys.add(key)
      if (keys.size > RESOURCE_TAGS_MAX) throw tooManyTags(RESOURCE_TAGS_MAX)
      await tx.repositories.putResourceTags(id, checked)
    })
  }

  /** Unknown keys are ignored. */
  async deleteTags(principal: Principal, ref: RepositoryRef, keys: readonly string[]): Promise<void> {
    await this.#access.authorize(principal, 'ecr:UntagResource', ref, { tagKeys: keys })
    if (keys.some(isReservedKey))
      throw invalidTagParameter('Tag keys that start with aws: are reserved and cannot be removed.')
    await this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      await tx.repositories.deleteResourceTags(id, keys)
    })
  }

  /** Throws `repository-not-found` or `access-denied`: for what a caller asks before it acts. */
  async get(principal: Principal, action: Action, ref: RepositoryRef): Promise<Repository> {
    await this.#access.authorize(principal, action, ref)
    return getRepository(this.#metadata.view, ref)
  }

  /** Makes the repository of a push, if it is still missing, with everything that belongs to it in one transaction. Throws `limit-exceeded`. */
  async ensure(principal: Principal, ref: RepositoryRef, blueprint: Blueprint): Promise<void> {
    await this.#authorizeCreation(principal, ref, blueprint.tags)
    const { mutability, tags, encryption = AES256 } = blueprint
    await this.#metadata.transact(async (tx) => {
      if ((await tx.repositories.find(ref)) !== undefined) return
      const repository = await this.#insert(tx, ref, mutability, false, tags, encryption)
      await blueprint.complete?.(tx, repository)
    })
  }

  /** Who gives tags to what he makes needs the right to give tags, as ECR has it; where images come from another registry, the template's author gave them. */
  async #authorizeCreation(principal: Principal, ref: RepositoryRef, tags: readonly ResourceTag[]): Promise<void> {
    const details = { requestTags: tags }
    await this.#access.authorize(principal, 'ecr:CreateRepository', ref, details)
    if (tags.length > 0 && principal.circumstances.replicatedFrom === undefined)
      await this.#access.authorize(principal, 'ecr:TagResource', ref, details)
  }

  async #insert(
    tx: MetadataWriter,
    ref: RepositoryRef,
    mutability: TagMutability,
    isScannedOnPush: boolean,
    tags: readonly ResourceTag[],
    { encryption, key }: ChosenEncryption,
  ): Promise<Repository> {
    const { repositoriesPerRegistry: limit } = isPublic(ref.registry) ? this.#publicQuotas : this.#quotas
    const isLimited = limit < Number.MAX_SAFE_INTEGER
    if (isLimited && (await tx.repositories.count(ref.registry)) >= limit)
      throw limitExceeded(limit, 'repositories per registry')
    const createdAt = this.#clock.now()
    const repository = await tx.repositories.insert({ ...ref, createdAt, mutability, isScannedOnPush, encryption })
    await tx.repositories.putResourceTags(repository.id, tags)
    if (key !== undefined) await this.#keys.grant(tx, repository, key)
    await tellRepository(tx, ref, 'CREATE', createdAt)
    return repository
  }
}

/** Throws `repository-not-found`. */
export async function getRepository(view: MetadataReader, ref: RepositoryRef): Promise<Repository> {
  const repository = await view.repositories.find(ref)
  if (repository === undefined) throw repositoryNotFound(ref)
  return repository
}
