import { publicRegistry } from '../../domain/public-registry.ts'
import type { PublicOperation } from './operation.ts'

/** A login for the public host, and for it alone. */
export const getAuthorizationToken: PublicOperation<object, object> = async (_input, call) => {
  const { principal, logins } = call
  const { password, expiresAt } = await logins.issue(principal, publicRegistry(principal.accountId))
  return { authorizationData: { authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt } }
}
