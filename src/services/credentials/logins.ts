import type { Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic, PUBLIC_API_REGION } from '../../domain/public-registry.ts'
import type { Access } from '../access/access.ts'
import type { IssuedToken, Tokens } from './tokens.ts'

const BEARER_FACTS = { facts: { 'sts:awsservicename': 'ecr-public.amazonaws.com' } } as const

/** GetAuthorizationToken: the passwords of `docker login`, for those who may have one. */
export class Logins {
  readonly #access: Access
  readonly #tokens: Tokens

  constructor(access: Access, tokens: Tokens) {
    this.#access = access
    this.#tokens = tokens
  }

  /** A login of the caller's, issued in a registry of his own. Throws `access-denied`, `throttled`. */
  async issue(principal: Principal, registry: Registry): Promise<IssuedToken> {
    await this.#access.authorize(principal, 'ecr:GetAuthorizationToken', registry)
    // ECR Public's logins are bearer tokens of STS.
    if (isPublic(registry)) {
      const tokenService = { arn: '*', ownerAccountId: registry.registryId, region: PUBLIC_API_REGION }
      await this.#access.authorize(principal, 'sts:GetServiceBearerToken', tokenService, BEARER_FACTS)
    }
    return this.#tokens.issue(principal, registry.region)
  }
}
