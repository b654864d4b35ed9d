import { parseDigest } from './digest.ts'
import { invalidParameters } from './errors.ts'
import type { ImageReference } from './image.ts'
import { isRegion, isRegistryId, parseRepositoryName, parseTag, type Registry, type RepositoryRef } from './names.ts'

/** An image as people name it. */
export interface NamedImage {
  readonly ref: RepositoryRef
  readonly reference: ImageReference
}

const ECR_HOST = /^(\d{12})\.dkr[.-]ecr(?:-fips)?\.([0-9a-z-]+)\./

/**
 * Reads `repository:tag`, `repository@sha256:…` and both with a host before, as clients write them; without either,
 * `latest` is meant. Of a host only the account and region of ECR's form count. Throws `invalid-parameter`,
 * `repository-name-invalid`, `tag-invalid`, `digest-invalid`.
 */
export function parseImageName(text: string, defaultRegistry: Registry): NamedImage {
  const [first = '', ...rest] = text.split('/')
  const isHost = rest.length > 0 && (first.includes('.') || first.includes(':') || first === 'localhost')
  const path = isHost ? rest.join('/') : text
  const registry = isHost ? registryOf(first, defaultRegistry) : defaultRegistry
  const at = path.indexOf('@')
  const named = at < 0 ? path : path.slice(0, at)
  const colon = named.lastIndexOf(':')
  const repository = colon < 0 ? named : named.slice(0, colon)
  if (repository === '') throw invalidParameters('An image is named as repository:tag or repository@digest.')
  const ref = { registry, name: parseRepositoryName(repository) }
  // Who names both means the digest, as clients do.
  if (at >= 0) return { ref, reference: { digest: parseDigest(path.slice(at + 1)) } }
  return { ref, reference: { tag: parseTag(colon < 0 ? 'latest' : named.slice(colon + 1)) } }
}

function registryOf(host: string, defaultRegistry: Registry): Registry {
  const [, registryId = '', region = ''] = ECR_HOST.exec(host) ?? []
  return isRegistryId(registryId) && isRegion(region) ? { registryId, region } : defaultRegistry
}
