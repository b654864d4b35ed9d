import { noise, sha256 } from '../support/image-builder.ts'
import { Violation, type Wire } from './wire.ts'

const SIZE_BYTES = 50_000
const FIRST_PART_BYTES = 20_000

/** An upload that a client leaves half done, and finishes with the next server as if nothing had happened. */
export class UnfinishedUpload {
  readonly #repository: string
  /** Whether a server that was killed must still have every byte; after a power loss it need not. */
  readonly #isKept: boolean
  #pending: { readonly location: string; readonly bytes: Buffer } | undefined

  constructor(repository: string, isKept: boolean) {
    this.#repository = repository
    this.#isKept = isKept
  }

  async begin(wire: Wire, seed: string): Promise<void> {
    const bytes = noise(`${seed}/unfinished`, SIZE_BYTES)
    const begun = await wire.oci('POST', `${this.#repository}/blobs/uploads/`)
    const first = await wire.at('PATCH', expectLocation(begun.status, 202, begun.headers), {
      body: bytes.subarray(0, FIRST_PART_BYTES),
    })
    this.#pending = { bytes, location: expectLocation(first.status, 202, first.headers) }
  }

  async finish(wire: Wire): Promise<void> {
    if (this.#pending === undefined) return
    const { bytes, location } = this.#pending
    this.#pending = undefined
    const status = await wire.at('GET', location)
    const heldBytes = Number(/^0-(\d+)$/.exec(status.headers.get('range') ?? '')?.[1] ?? '-1') + 1
    if (!this.#isKept && (status.status === 404 || heldBytes <= 1)) return
    if (status.status !== 204 || heldBytes > FIRST_PART_BYTES || (this.#isKept && heldBytes < FIRST_PART_BYTES))
      throw new Violation(
        `an upload that had received ${FIRST_PART_BYTES} bytes before the end answers ${status.status} with Range ${status.headers.get('range')}`,
      )
    const rest = await wire.at('PATCH', location, {
      headers: { 'content-range': `${heldBytes}-${SIZE_BYTES - 1}` },
      body: bytes.subarray(heldBytes),
    })
    const next = expectLocation(rest.status, 202, rest.headers)
    const digest = sha256(bytes)
    const put = await wire.at('PUT', `${next}${next.includes('?') ? '&' : '?'}digest=${digest}`)
    // What a power loss leaves of unflushed bytes may be wrong, and is then refused.
    if (!this.#isKept && put.status === 400) return
    if (put.status !== 201) throw new Violation(`a resumed upload ends with ${put.status} ${put.bytes}`)
    const pulled = await wire.oci('GET', `${this.#repository}/blobs/${digest}`)
    if (pulled.status !== 200 || !pulled.bytes.equals(bytes))
      throw new Violation(`a resumed upload is pulled as ${pulled.status} with ${pulled.bytes.length} bytes`)
  }
}

function expectLocation(status: number, wanted: number, headers: Headers): string {
  const location = headers.get('location')
  if (status !== wanted || location === null)
    throw new Violation(`a step of an upload answers ${status} with Location ${location} instead of ${wanted}`)
  return location
}
