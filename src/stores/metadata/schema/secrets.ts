/** Secrets of the installation, such as the key that signs tokens. */
export interface SecretsTable {
  name: string
  /** Sealed. */
  value: Uint8Array
}
