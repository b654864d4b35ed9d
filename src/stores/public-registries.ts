import type { Image } from '../domain/image.ts'
import type { RegistryId, Tag } from '../domain/names.ts'
import type { CatalogData, RegistryAlias } from '../domain/public-registry.ts'
import type { Page } from './page.ts'

/** A tag with the image it stands at. */
export interface TagDetail {
  readonly tag: Tag
  /** When it was last set or moved. */
  readonly setAt: Date
  readonly image: Pick<Image, 'digest' | 'sizeBytes' | 'pushedAt' | 'mediaType' | 'artifactMediaType'>
}

/** An address in a month, such as `2026-11`. */
export interface PullerInMonth {
  readonly month: string
  readonly address: string
}

export interface PublicRegistryReader {
  findAlias(name: string): Promise<RegistryAlias | undefined>
  /** In ascending order of name. */
  listAliases(registryId: RegistryId): Promise<readonly RegistryAlias[]>
  /** `undefined` while it was never put. */
  findDisplayName(registryId: RegistryId): Promise<string | undefined>
  /** `undefined` while it was never put. */
  findCatalog(repositoryId: number): Promise<CatalogData | undefined>
  findLogo(logoId: string): Promise<Uint8Array | undefined>
  /** Tags in ascending order (by code point). */
  listTagDetails(repositoryId: number, page: Page<Tag>): Promise<readonly TagDetail[]>
  /** How many bytes were pulled without a login. */
  pulledBytes(puller: PullerInMonth): Promise<number>
}

/** What public registries have and private ones have not. */
export interface PublicRegistryWriter extends PublicRegistryReader {
  /** False when the name is taken. */
  insertAlias(alias: RegistryAlias): Promise<boolean>
  /** Of the account's aliases this one is shown in addresses from now on, and no other. */
  makePrimary(registryId: RegistryId, name: string): Promise<void>
  deleteAlias(name: string): Promise<void>
  putDisplayName(registryId: RegistryId, displayName: string): Promise<void>
  /** Replaces all of it; the logo goes with its id. */
  putCatalog(repositoryId: number, catalog: CatalogData, logo: Uint8Array | undefined): Promise<void>
  /** Adds to what was pulled in the month, and forgets all earlier ones. */
  addPulledBytes(puller: PullerInMonth, bytes: number): Promise<void>
}
