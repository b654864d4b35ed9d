import type { RepositoryName } from '../../domain/names.ts'
import type { AwsCall } from '../aws/context.ts'
import { LOGOS_PATH } from '../http/public-router.ts'

/** Where public registries and their logos are found: what ECR Public prints in URIs. */
export class PublicAddresses {
  readonly #host: string

  /** `host` is what image names begin with, such as `public.ecr.aws`. */
  constructor(host: string) {
    this.#host = host
  }

  registryUri(alias: string): string {
    return `${this.#host}/${alias}`
  }

  repositoryUri(alias: string, name: RepositoryName): string {
    return `${this.#host}/${alias}/${name}`
  }

  /** From where the caller called, since that place it can reach. */
  logoUrl(logoId: string, { origin }: AwsCall): string {
    return `${origin}${LOGOS_PATH}${logoId}.png`
  }
}
