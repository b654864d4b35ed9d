import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

/** One token serves all registries; each that is asked for is answered with its own endpoint. */
export const getAuthorizationToken: EcrOperation<'GetAuthorizationToken'> = async (input, call) => {
  const { principal, addresses, logins } = call
  const { password, expiresAt } = await logins.issue(principal, registryOf(undefined, call))
  const authorizationToken = Buffer.from(`AWS:${password}`).toString('base64')
  const registries = (input.registryIds ?? [principal.accountId]).map((registryId) => registryOf(registryId, call))
  return {
    authorizationData: registries.map((registry) => ({
      authorizationToken,
      expiresAt,
      proxyEndpoint: addresses.proxyEndpoint(registry, call),
    })),
  }
}
