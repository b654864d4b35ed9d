import type { BlobAddress } from '../domain/vault.ts'
import type { BackedUpBlob } from './backup-format.ts'

/** What tells blobs apart: the same content in two vaults is stored twice. */
export function nameOf({ vault, digest }: BlobAddress): string {
  return `${vault} ${digest}`
}

/** The order of lists of blobs: by digest, then by vault. */
export function compareBlobs(one: BlobAddress, other: BlobAddress): number {
  if (one.digest !== other.digest) return one.digest < other.digest ? -1 : 1
  if (one.vault === other.vault) return 0
  return one.vault < other.vault ? -1 : 1
}

/**
 * What earlier backups know of blobs whose object cannot be told from their digest. Their lists are read along with the
 * blobs that are asked for, all in one order, so that memory does not grow with their number.
 */
export class KnownObjects {
  readonly #lists: readonly List[]
  readonly #known = new Map<string, BackedUpBlob>()

  /** Of the same blob, the later list counts. */
  constructor(lists: readonly AsyncIterable<BackedUpBlob>[]) {
    this.#lists = lists.map(listOf)
  }

  /** Reads on to these, which come behind all that were asked for before, and forgets those. */
  async advance(blobs: readonly BlobAddress[]): Promise<void> {
    this.#known.clear()
    const wanted = new Set(blobs.map(nameOf))
    const last = blobs.at(-1)
    if (last === undefined) return
    for (const list of this.#lists) {
      if (!list.isBegun) await read(list)
      while (list.next !== undefined && compareBlobs(list.next, last) <= 0) {
        if (wanted.has(nameOf(list.next))) this.#known.set(nameOf(list.next), list.next)
        await read(list)
      }
    }
  }

  find(blob: BlobAddress): BackedUpBlob | undefined {
    return this.#known.get(nameOf(blob))
  }

  async close(): Promise<void> {
    for (const { lines } of this.#lists) await lines.return?.()
  }
}

/** The blobs of several lists in their common order; what stands in more than one comes once. */
export async function* mergedBlobs(
  lists: readonly AsyncIterable<BackedUpBlob>[],
): AsyncGenerator<BackedUpBlob, void, void> {
  const open = lists.map(listOf)
  for (const list of open) await read(list)
  for (;;) {
    let first: BackedUpBlob | undefined
    for (const { next } of open)
      if (next !== undefined && (first === undefined || compareBlobs(next, first) < 0)) first = next
    if (first === undefined) return
    const objects = new Set<string>()
    for (const list of open)
      while (list.next !== undefined && compareBlobs(list.next, first) === 0) {
        // Content that was encrypted anew is the same blob in other bytes.
        if (!objects.has(list.next.object)) yield list.next
        objects.add(list.next.object)
        await read(list)
      }
  }
}

interface List {
  readonly lines: AsyncIterator<BackedUpBlob>
  next: BackedUpBlob | undefined
  isBegun: boolean
}

function listOf(list: AsyncIterable<BackedUpBlob>): List {
  return { lines: list[Symbol.asyncIterator](), next: undefined, isBegun: false }
}

async function read(list: List): Promise<void> {
  const { done, value } = await list.lines.next()
  list.isBegun = true
  list.next = done === true ? undefined : value
}
