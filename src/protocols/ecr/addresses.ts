import type { Digest } from '../../domain/digest.ts'
import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { AwsCall } from '../aws/context.ts'
import { LAYER_DOWNLOADS_PATH } from '../http/router.ts'

/** Where registries and repositories are found: what ECR prints in URIs. */
export class Addresses {
  readonly #hostOf: (registry: Registry) => string | undefined

  /** `hostOf` answers the configured host of a registry; without one, the host by which the caller came is right. */
  constructor(hostOf: (registry: Registry) => string | undefined) {
    this.#hostOf = hostOf
  }

  /** `host/name`, as `docker push` wants it. */
  repositoryUri({ registry, name }: RepositoryRef, call: AwsCall): string {
    const endpoint = this.proxyEndpoint(registry, call)
    return `${endpoint.slice(endpoint.indexOf('//') + 2)}/${name}`
  }

  /**
   * What `docker login` is told. A configured host is always said to speak https, as ECR's do: clients drop the scheme,
   * and ECR's own credential helper refuses any other.
   */
  proxyEndpoint(registry: Registry, { origin }: AwsCall): string {
    const host = this.#hostOf(registry)
    return host === undefined ? origin : `https://${host}`
  }

  /** A URL that needs no credentials but its ticket; from where the caller called, since that place it can reach. */
  layerUrl(digest: Digest, ticket: string, { origin }: AwsCall): string {
    return `${origin}${LAYER_DOWNLOADS_PATH}${digest}?ticket=${ticket}`
  }
}
