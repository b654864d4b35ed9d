import { tokenInvalid } from '../../domain/errors.ts'
import { isRegion, isRegistryId, type Registry } from '../../domain/names.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { TokenBearer } from '../../services/credentials/tokens.ts'

/** `A.dkr.ecr.R.<suffix>` and `A.dkr-ecr.R.<suffix>`, each also with `-fips`. */
const ECR_HOST = /^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([0-9a-z-]+)\.[^.]/

/** The registry that a host of ECR's form names. */
export function registryOfHost(host: string): Registry | undefined {
  const match = ECR_HOST.exec(host.toLowerCase())
  if (match === null) return undefined
  const [, registryId = '', region = ''] = match
  return isRegistryId(registryId) && isRegion(region) ? { registryId, region } : undefined
}

/**
 * Which registry a request means: the one its host names, else the one its login token was issued in. A token of another
 * region, or of ECR Public, is no token here, as ECR has it; one of another account is for the resource policies to judge.
 * Throws `token-invalid`.
 */
export function registryOfRequest(host: string, { registry }: TokenBearer): Registry {
  if (isPublic(registry)) throw tokenInvalid()
  const named = registryOfHost(host)
  if (named !== undefined && named.region !== registry.region) throw tokenInvalid()
  return named ?? registry
}
