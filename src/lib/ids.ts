import { randomBytes, randomUUID } from 'node:crypto'

/** Where ids and secrets come from. Passed in, so that tests can foresee them. */
export interface Ids {
  /** A random UUID, version 4: upload ids, request ids. */
  uuid(): string
  /** Random bytes for keys and secrets. */
  secret(lengthBytes: number): Uint8Array
}

export const randomIds: Ids = {
  uuid: () => randomUUID(),
  secret: (lengthBytes) => new Uint8Array(randomBytes(lengthBytes)),
}
