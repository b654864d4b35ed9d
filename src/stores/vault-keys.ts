import type { Vault } from '../domain/vault.ts'

/** A key for one blob or manifest: 32 bytes for each time its vault encrypts. */
export interface DataKey {
  readonly key: Uint8Array
  /** The same, readable with the vault's own key only; kept beside what it encrypts. */
  readonly wrapped: Uint8Array
}

/**
 * The keys of vaults, as stores and services see them. Both methods throw `kms-key-unusable` when the vault's key cannot
 * be used now (or ever again), and answer for vaults that encrypt only. Nobody changes the bytes of a key.
 */
export interface VaultKeys {
  /** A new data key, never given before. */
  make(vault: Vault): Promise<DataKey>
  /** The data key that was wrapped so. Throws `SealBroken` when these bytes are not what `make` answered for this vault. */
  unwrap(vault: Vault, wrapped: Uint8Array): Promise<Uint8Array>
}
