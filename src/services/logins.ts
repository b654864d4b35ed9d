import type { Registry } from '../domain/names.ts'
import type { Principal } from '../domain/principal.ts'
import type { Access } from './access.ts'
import type { IssuedToken, Tokens } from './tokens.ts'

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
    return this.#tokens.issue(principal, registry.region)
  }
}
