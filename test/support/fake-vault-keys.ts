import { randomBytes } from 'node:crypto'
import { RegistryError } from '../../src/domain/errors.ts'
import { layersOf, type Vault } from '../../src/domain/vault.ts'
import { AesGcm, KEY_BYTES } from '../../src/lib/aes-gcm.ts'
import type { DataKey, VaultKeys } from '../../src/stores/vault-keys.ts'

/** Keys of vaults that nobody keeps: every vault has one, until it is taken away. */
export class FakeVaultKeys implements VaultKeys {
  readonly #keys = new Map<Vault, AesGcm>()
  readonly #disabled = new Set<Vault>()

  async make(vault: Vault): Promise<DataKey> {
    const key = new Uint8Array(randomBytes(layersOf(vault) * KEY_BYTES))
    return { key, wrapped: this.#keyOf(vault).seal(key, Buffer.from(vault)) }
  }

  async unwrap(vault: Vault, wrapped: Uint8Array): Promise<Uint8Array> {
    return this.#keyOf(vault).open(wrapped, Buffer.from(vault))
  }

  disable(vault: Vault): void {
    this.#disabled.add(vault)
  }

  enable(vault: Vault): void {
    this.#disabled.delete(vault)
  }

  #keyOf(vault: Vault): AesGcm {
    if (this.#disabled.has(vault)) throw new RegistryError('kms-key-unusable', `${vault} is disabled.`)
    const known = this.#keys.get(vault) ?? new AesGcm(new Uint8Array(randomBytes(KEY_BYTES)))
    this.#keys.set(vault, known)
    return known
  }
}
