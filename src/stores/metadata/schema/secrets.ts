/** Secrets of the installation, such as the key that signs tokens. */
export interface SecretsTable {
  name: string
  value: Uint8Array
}
