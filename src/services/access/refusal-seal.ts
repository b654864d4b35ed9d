import { authorizationMessage, type RefusedRequest, readerOf } from '../../domain/iam/authorization-message.ts'
import type { Ids } from '../../lib/ids.ts'
import { MASTER_KEY_BYTES, MasterKey, SEAL_BYTES, SealBroken, type Sealer } from '../../lib/master-key.ts'

/** All messages are of one length, so that it says nothing; encoded they fit into a header that any proxy takes. */
const MESSAGE_BYTES = 2048
const READER_BYTES = 12
/** After so many another key is taken: nonces are random. */
const USES_MAX = 1_000_000

const KEY_CONTEXT = 'key of authorization messages'
const CONTEXT = 'authorization message'

/** A key and itself sealed, which goes with every message, so that any process of the installation can open it. */
interface MessageKey {
  readonly sealer: Sealer
  readonly sealed: Uint8Array
}

/** What somebody may read who was not refused himself. */
export interface OpenedRefusal {
  /** The account that may read it. */
  readonly reader: string
  readonly message: string
}

/** Seals why requests were refused, for those who may know: callers carry what they cannot read. */
export class RefusalSeal {
  readonly #sealer: Sealer
  readonly #ids: Ids
  #key: MessageKey | undefined
  #uses = 0

  constructor(sealer: Sealer, ids: Ids) {
    this.#sealer = sealer
    this.#ids = ids
  }

  /** Texts of one length in the alphabet of URLs. */
  seal(refused: RefusedRequest): string {
    const { sealer, sealed } = this.#currentKey()
    const reader = readerOf(refused).padEnd(READER_BYTES)
    const text = new TextEncoder().encode(reader + authorizationMessage(refused, MESSAGE_BYTES))
    const padded = new Uint8Array(READER_BYTES + MESSAGE_BYTES).fill(SPACE)
    padded.set(text)
    return Buffer.concat([sealed, sealer.seal(padded, CONTEXT)]).toString('base64url')
  }

  /** `undefined`: nothing that was sealed here. */
  open(encoded: string): OpenedRefusal | undefined {
    const bytes = Buffer.from(encoded, 'base64url')
    if (bytes.toString('base64url') !== encoded) return undefined
    const keyBytes = SEAL_BYTES + MASTER_KEY_BYTES
    try {
      const key = this.#sealer.open(bytes.subarray(0, keyBytes), KEY_CONTEXT)
      const text = new TextDecoder().decode(new MasterKey(key).open(bytes.subarray(keyBytes), CONTEXT))
      return { reader: text.slice(0, READER_BYTES).trimEnd(), message: text.slice(READER_BYTES).trimEnd() }
    } catch (thrown) {
      if (thrown instanceof SealBroken) return undefined
      throw thrown
    }
  }

  #currentKey(): MessageKey {
    if (this.#key === undefined || ++this.#uses > USES_MAX) {
      const bytes = this.#ids.secret(MASTER_KEY_BYTES)
      this.#key = { sealer: new MasterKey(bytes), sealed: this.#sealer.seal(bytes, KEY_CONTEXT) }
      this.#uses = 1
    }
    return this.#key
  }
}

const SPACE = 0x20
