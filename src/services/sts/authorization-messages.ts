import type { Principal } from '../../domain/principal.ts'
import { checkMayCallSts } from '../../domain/session-limits.ts'
import { authorizationMessageInvalid } from '../../domain/sts-errors.ts'
import type { Access } from '../access/access.ts'
import type { OpenedRefusal } from '../access/refusal-seal.ts'

/** Reads what refusals carry for those who may know why. */
export class AuthorizationMessages {
  readonly #access: Access
  readonly #seal: { open(encoded: string): OpenedRefusal | undefined }

  constructor(access: Access, seal: { open(encoded: string): OpenedRefusal | undefined }) {
    this.#access = access
    this.#seal = seal
  }

  /**
   * The message as a JSON document. Throws `access-denied`, and `authorization-message-invalid` also for a message that
   * another account may read: it is about that account's policies.
   */
  async decode(caller: Principal, encoded: string): Promise<string> {
    checkMayCallSts(caller, 'DecodeAuthorizationMessage')
    const { accountId: ownerAccountId } = caller
    await this.#access.authorize(caller, 'sts:DecodeAuthorizationMessage', { arn: '*', ownerAccountId })
    const opened = this.#seal.open(encoded)
    if (opened === undefined || opened.reader !== ownerAccountId) throw authorizationMessageInvalid()
    return opened.message
  }
}
