import { loginProfileNotFound } from '../../domain/iam-entities/errors.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Entities, IamAction } from './entities.ts'
import { selfNameOf } from './users.ts'

/** Credentials that no user here has, since they open no registry: passwords of a console, second factors, SSH keys, certificates. */
export class OtherCredentials {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Whether the caller may ask about the user, by default himself. Throws `access-denied`, `entity-not-found`. */
  async check(principal: Principal, action: IamAction, userName?: string): Promise<string> {
    const { name } = await this.#entities.get(
      principal,
      action,
      'user',
      userName ?? (await selfNameOf(principal, this.#entities)),
    )
    return name
  }

  /** The same for an account. */
  async checkAccount(principal: Principal, action: IamAction): Promise<void> {
    await this.#entities.authorize(principal, action)
  }

  /** Always throws: `entity-not-found` at best. */
  async refuse(principal: Principal, action: IamAction, userName?: string): Promise<never> {
    throw loginProfileNotFound(await this.check(principal, action, userName))
  }
}
