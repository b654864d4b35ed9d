import { invalidParameter, repositoryNameInvalid, tagInvalid } from './errors.ts'

/** A repository's name, made only by its parsers. */
export type RepositoryName = string & { readonly __brand: 'RepositoryName' }
/** A tag, made only by its parsers. */
export type Tag = string & { readonly __brand: 'Tag' }
/** A 12-digit account id, which is also the registry's id. */
export type RegistryId = string & { readonly __brand: 'RegistryId' }
/** A region's name, such as `eu-west-3`. */
export type Region = string & { readonly __brand: 'Region' }

/** One account in one region: what ECR calls a private registry. */
export interface Registry {
  readonly registryId: RegistryId
  readonly region: Region
}

/** A repository as a caller names it, before anybody looked whether it exists. */
export interface RepositoryRef {
  readonly registry: Registry
  readonly name: RepositoryName
}

/** The grammar that ECR's model gives for repository names (2 to 256 characters). */
export const REPOSITORY_NAME_PATTERN = '[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*(\\/[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*)*'

const COMPONENT = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9._-]*$/
const REGISTRY_ID = /^[0-9]{12}$/
const REGION = /^[0-9a-z-]{2,25}$/

const TAG_LENGTH_MAX = 300

/** Whether a text is a repository name. Components are matched one by one, so that no input makes the match slow. */
export function isRepositoryName(text: string): text is RepositoryName {
  if (text.length < 2 || text.length > 256) return false
  return text.split('/').every((component) => COMPONENT.test(component))
}

/** Parses a repository name. Throws `repository-name-invalid`. */
export function parseRepositoryName(text: string): RepositoryName {
  if (!isRepositoryName(text)) throw repositoryNameInvalid(REPOSITORY_NAME_PATTERN)
  return text
}

/** Whether a text is a tag: Docker's alphabet, ECR's length (clients stop at 128). */
export function isTag(text: string): text is Tag {
  return text.length <= TAG_LENGTH_MAX && TAG.test(text)
}

/** Parses a tag. Throws `tag-invalid`. */
export function parseTag(text: string): Tag {
  if (!isTag(text)) throw tagInvalid()
  return text
}

export function isRegistryId(text: string): text is RegistryId {
  return REGISTRY_ID.test(text)
}

/** Parses a registry id. Throws `invalid-parameter`. */
export function parseRegistryId(text: string): RegistryId {
  if (!isRegistryId(text)) throw invalidParameter('registryId', "must satisfy regular expression '[0-9]{12}'")
  return text
}

export function isRegion(text: string): text is Region {
  return REGION.test(text)
}

/** Parses a region. Throws `invalid-parameter`. */
export function parseRegion(text: string): Region {
  if (!isRegion(text)) throw invalidParameter('region', "must satisfy regular expression '[0-9a-z-]{2,25}'")
  return text
}

export function sameRegistry(a: Registry, b: Registry): boolean {
  return a.registryId === b.registryId && a.region === b.region
}
