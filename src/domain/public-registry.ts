import { invalidParameter, RegistryError } from './errors.ts'
import {
  isRegistryId,
  isRepositoryName,
  type Region,
  type Registry,
  type RegistryId,
  type RepositoryRef,
} from './names.ts'

/**
 * Where the public repositories of an account are: a place that no region's name can spell, so that no signature, token or
 * host of the private registries ever leads there.
 */
export const PUBLIC_REGION = 'PUBLIC' as Region

/** The only region in which ECR Public's API is answered. */
export const PUBLIC_API_REGION = 'us-east-1'

/** ECR Public's names are shorter than ECR's, and know neither `__` nor runs of dashes. */
export const PUBLIC_REPOSITORY_NAME_PATTERN = '(?:[a-z0-9]+(?:[._-][a-z0-9]+)*/)*[a-z0-9]+(?:[._-][a-z0-9]+)*'

const COMPONENT = /^[a-z0-9]+(?:[._-][a-z0-9]+)*$/
const ALIAS = /^[a-z][a-z0-9]+(?:[._-][a-z0-9]+)*$/
const REPOSITORY_ARN = /^arn:aws:ecr-public::([^:]*):repository\/(.+)$/

/** A name under which the public registry of an account is found: the first part of its image names. */
export interface RegistryAlias {
  readonly name: string
  readonly registryId: RegistryId
  /** Only an active one leads anywhere. */
  readonly status: 'ACTIVE' | 'PENDING' | 'REJECTED'
  /** The one that is shown in addresses. */
  readonly isPrimary: boolean
  /** The random one that came with the first repository. */
  readonly isDefault: boolean
}

/** What the gallery shows of a repository. */
export interface CatalogData {
  readonly description?: string | undefined
  readonly architectures?: readonly string[] | undefined
  readonly operatingSystems?: readonly string[] | undefined
  readonly aboutText?: string | undefined
  readonly usageText?: string | undefined
  /** Under what the logo is found; absent without one. */
  readonly logoId?: string | undefined
}

/** The public registry of an account. */
export function publicRegistry(registryId: RegistryId): Registry {
  return { registryId, region: PUBLIC_REGION }
}

/** Whether a registry is the public one of its account. */
export function isPublic({ region }: Registry): boolean {
  return region === PUBLIC_REGION
}

/** Whether a text is a public repository's name. Components are matched one by one, so that no input makes the match slow. */
export function isPublicRepositoryName(text: string): boolean {
  return text.split('/').every((component) => COMPONENT.test(component))
}

/** Whether a text can be an alias (2 to 50 characters). */
export function isRegistryAlias(text: string): boolean {
  return text.length >= 2 && text.length <= 50 && ALIAS.test(text)
}

/** `arn:aws:ecr-public::A:registry/A` */
export function publicRegistryArn(registryId: RegistryId): string {
  return `arn:aws:ecr-public::${registryId}:registry/${registryId}`
}

/** `arn:aws:ecr-public::A:repository/N` */
export function publicRepositoryArn({ registry, name }: RepositoryRef): string {
  return `arn:aws:ecr-public::${registry.registryId}:repository/${name}`
}

/** Parses a public repository's ARN. Throws `invalid-parameter`. */
export function parsePublicRepositoryArn(text: string): RepositoryRef {
  const [, account = '', name = ''] = REPOSITORY_ARN.exec(text) ?? []
  if (!isRegistryId(account) || !isRepositoryName(name) || !isPublicRepositoryName(name))
    throw invalidParameter('resourceArn', 'Invalid ARN')
  return { registry: publicRegistry(account), name }
}

const PNG = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]
const LOGO_PIXELS = { min: 60, max: 2048 }

/** Checks that the bytes are a PNG image of a size that a logo may have. Throws `invalid-parameter`. */
export function checkLogo(bytes: Uint8Array): void {
  const member = 'catalogData.logoImageBlob'
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const isPng = bytes.byteLength >= 24 && PNG.every((byte, index) => bytes[index] === byte)
  if (!isPng) throw invalidParameter(member, 'The logo must be a PNG image')
  const { min, max } = LOGO_PIXELS
  const isSide = (pixels: number) => pixels >= min && pixels <= max
  if (!isSide(header.getUint32(16)) || !isSide(header.getUint32(20)))
    throw invalidParameter(member, `The logo must be ${min} to ${max} pixels wide and high`)
}

/** The alias or account leads to no public registry. */
export function registryNotFound(name: string): RegistryError {
  return new RegistryError('registry-not-found', `The registry with name '${name}' does not exist`)
}

/** Somebody who does not say who he is has pulled all that he may this month. */
export function dataLimitExceeded(): RegistryError {
  return new RegistryError('limit-exceeded', 'Data limit exceeded')
}

/** ECR Public is asked in a region where it is not. */
export function unsupportedCommand(region: string): RegistryError {
  return new RegistryError(
    'unsupported-command',
    `This action isn't supported in this Region: Amazon ECR Public is called in ${PUBLIC_API_REGION}, not in ${region}`,
  )
}
