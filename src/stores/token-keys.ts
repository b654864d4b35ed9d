/** A key that signs login tokens, or signed them once. */
export interface TokenKey {
  /** As the header of a token names it. */
  readonly id: string
  readonly secret: Uint8Array
  readonly createdAt: Date
}

export interface TokenKeyReader {
  /** The newest first: the one that signs. */
  list(): Promise<readonly TokenKey[]>
}

export interface TokenKeyWriter extends TokenKeyReader {
  insert(key: TokenKey): Promise<void>
  /** What they signed is worth nothing from then on. */
  delete(ids: readonly string[]): Promise<void>
}
