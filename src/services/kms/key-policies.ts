import { keyUnsupported } from '../../domain/kms/errors.ts'
import { checkKeyPolicy } from '../../domain/kms/key-policy.ts'
import type { KeyAccess, KeyCaller } from './key-access.ts'
import type { Keys } from './keys.ts'

/** The only policy that a key has. */
export const POLICY_NAME = 'default'

/** Policies of keys. */
export class KeyPolicies {
  readonly #access: KeyAccess
  readonly #keys: Keys

  constructor(access: KeyAccess, keys: Keys) {
    this.#access = access
    this.#keys = keys
  }

  /** The text as it was given. */
  async get(caller: KeyCaller, named: string, policyName = POLICY_NAME): Promise<string> {
    const { policy } = await this.#access.get(caller, named, { action: 'kms:GetKeyPolicy' })
    checkName(policyName)
    return policy
  }

  /** Throws `key-policy-malformed`, also when the caller would lock himself out and has not said that he accepts it. */
  async put(
    caller: KeyCaller,
    named: string,
    text: string,
    policyName = POLICY_NAME,
    isLockoutAccepted = false,
  ): Promise<void> {
    const facts = { 'kms:bypasspolicylockoutsafetycheck': String(isLockoutAccepted) }
    const accepts = () => true
    await this.#keys.change(
      caller,
      named,
      { action: 'kms:PutKeyPolicy', facts },
      async (_, key) => {
        checkName(policyName)
        checkKeyPolicy(text)
        const changed = { ...key, policy: text }
        if (!isLockoutAccepted) await this.#keys.assertNoLockout(caller, changed)
        return changed
      },
      accepts,
    )
  }

  async list(caller: KeyCaller, named: string): Promise<readonly string[]> {
    await this.#access.get(caller, named, { action: 'kms:ListKeyPolicies' })
    return [POLICY_NAME]
  }
}

function checkName(name: string): void {
  if (name !== POLICY_NAME) throw keyUnsupported(`The only policy of a key is ${POLICY_NAME}.`)
}
