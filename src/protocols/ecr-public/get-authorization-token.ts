import { publicRegistry } from '../../domain/public-registry.ts'
import type { PublicOperation } from './operation.ts'

/** A login for the public host, and for it alone. */
export const getAuthorizationToken: PublicOperation<object, object> = async (_input, call) => {
  const { principal, region, access, tokens } = call
  await access.authorize(principal, 'ecr:GetAuthorizationToken', publicRegistry(principal.accountId))
  const { password, expiresAt } = await tokens.issue(principal, region)
  return { authorizationData: { authorizationToken: Buffer.from(`AWS:${password}`).toString('base64'), expiresAt } }
}
