import { invalidParameter } from '../../domain/errors.ts'
import type { Registry, RegistryId, RepositoryRef, Tag } from '../../domain/names.ts'
import { isTag } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import {
  type CatalogData,
  checkLogo,
  publicRegistry,
  type RegistryAlias,
  registryNotFound,
} from '../../domain/public-registry.ts'
import type { Repository, ResourceTag } from '../../domain/repository.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { TagDetail } from '../../stores/public-registries.ts'
import type { Access } from '../access/access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { ensureDefaultAlias } from './public-aliases.ts'
import { getRepository, type Repositories } from './repositories.ts'

/** Catalog data as it is given: the logo itself, and not where it is found. */
export interface CatalogDataInput extends Omit<CatalogData, 'logoId'> {
  readonly logo?: Uint8Array | undefined
}

/** What public registries have and private ones have not: aliases, names, catalog data. All else is the same services'. */
export class PublicRegistries {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #repositories: Repositories
  readonly #ids: Ids

  constructor(metadata: MetadataStore, access: Access, repositories: Repositories, ids: Ids) {
    this.#metadata = metadata
    this.#access = access
    this.#repositories = repositories
    this.#ids = ids
  }

  /** Repository, tags, catalog data and, with an account's first, the default alias, in one transaction. Throws as `Repositories.create`. */
  async createRepository(
    principal: Principal,
    ref: RepositoryRef,
    { catalog, tags }: { readonly catalog?: CatalogDataInput | undefined; readonly tags: readonly ResourceTag[] },
  ): Promise<{ readonly repository: Repository; readonly catalog: CatalogData }> {
    const kept = catalog && this.#prepare(catalog)
    const complete = async (tx: MetadataWriter, { id }: Repository) => {
      await ensureDefaultAlias(tx.publicRegistries, ref.registry.registryId, this.#ids)
      if (kept !== undefined) await tx.publicRegistries.putCatalog(id, kept.data, kept.logo)
    }
    const repository = await this.#repositories.create(principal, ref, { tags, complete })
    return { repository, catalog: kept?.data ?? {} }
  }

  /** The registry that an active alias leads to. Throws `registry-not-found`. */
  async registryOf(alias: string): Promise<Registry> {
    const found = await this.findRegistry(alias)
    if (found === undefined) throw registryNotFound(alias)
    return found
  }

  /** The same, for those to whom an alias of nobody is no error. */
  async findRegistry(alias: string): Promise<Registry | undefined> {
    const found = await this.#metadata.view.publicRegistries.findAlias(alias)
    return found?.status === 'ACTIVE' ? publicRegistry(found.registryId) : undefined
  }

  /** The alias that addresses show. An account whose repositories are there has one. */
  async primaryAlias(registryId: RegistryId): Promise<string> {
    const aliases = await this.#metadata.view.publicRegistries.listAliases(registryId)
    return aliases.find(({ isPrimary }) => isPrimary)?.name ?? registryId
  }

  /** The caller's own, in ascending order; none before the first repository. */
  async aliases(principal: Principal): Promise<readonly RegistryAlias[]> {
    const registry = publicRegistry(principal.accountId)
    await this.#access.authorize(principal, 'ecr-public:DescribeRegistries', registry)
    return this.#metadata.view.publicRegistries.listAliases(registry.registryId)
  }

  async getDisplayName(principal: Principal): Promise<string | undefined> {
    const registry = publicRegistry(principal.accountId)
    await this.#access.authorize(principal, 'ecr-public:GetRegistryCatalogData', registry)
    return this.#metadata.view.publicRegistries.findDisplayName(registry.registryId)
  }

  /** Without a name nothing changes. Answers the name that holds. */
  async putDisplayName(principal: Principal, displayName: string | undefined): Promise<string | undefined> {
    const registry = publicRegistry(principal.accountId)
    await this.#access.authorize(principal, 'ecr-public:PutRegistryCatalogData', registry)
    if (displayName === undefined) return this.#metadata.view.publicRegistries.findDisplayName(registry.registryId)
    await this.#metadata.transact((tx) => tx.publicRegistries.putDisplayName(registry.registryId, displayName))
    return displayName
  }

  /** Empty while none was put: Terraform asks after every repository that it makes. Throws `repository-not-found`. */
  async getCatalog(principal: Principal, ref: RepositoryRef): Promise<CatalogData> {
    await this.#access.authorize(principal, 'ecr-public:GetRepositoryCatalogData', ref)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      return (await view.publicRegistries.findCatalog(id)) ?? {}
    })
  }

  /** Replaces all that was there. Throws `repository-not-found`, and `invalid-parameter` for a logo that is none. */
  async putCatalog(principal: Principal, ref: RepositoryRef, catalog: CatalogDataInput): Promise<CatalogData> {
    await this.#access.authorize(principal, 'ecr-public:PutRepositoryCatalogData', ref)
    const { data, logo } = this.#prepare(catalog)
    await this.#metadata.transact(async (tx) => {
      const { id } = await getRepository(tx, ref)
      await tx.publicRegistries.putCatalog(id, data, logo)
    })
    return data
  }

  /** The PNG image behind a logo's id: everybody may see it. */
  async findLogo(logoId: string): Promise<Uint8Array | undefined> {
    return this.#metadata.view.publicRegistries.findLogo(logoId)
  }

  /** One page of a repository's tags with their images. Throws `repository-not-found`. */
  async describeTags(principal: Principal, ref: RepositoryRef, paging: Paging): Promise<PageOf<TagDetail>> {
    await this.#access.authorize(principal, 'ecr-public:DescribeImageTags', ref)
    const after = tagAfter(paging)
    return this.#metadata.read(async (view) => {
      const { id } = await getRepository(view, ref)
      const rows = await view.publicRegistries.listTagDetails(id, { after, limit: paging.limit + 1 })
      return pageOf(rows, paging.limit, ({ tag }) => tag)
    })
  }

  #prepare({ logo: given, ...data }: CatalogDataInput): { readonly data: CatalogData; readonly logo?: Uint8Array } {
    if (given === undefined || given.byteLength === 0) return { data }
    checkLogo(given)
    return { data: { ...data, logoId: this.#ids.uuid() }, logo: given }
  }
}

function tagAfter(paging: Paging): Tag | undefined {
  const after = pageAfter(paging)
  if (after !== undefined && !isTag(after)) throw invalidParameter('nextToken', 'Invalid pagination token')
  return after
}
