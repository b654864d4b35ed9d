import { ByteReader } from './byte-reader.ts'

const MAGIC_LITTLE = 0x37_7f_06_82
const MAGIC_BIG = 0x37_7f_06_83
const FORMAT = 3_007_000
const HEADER_BYTES = 32
const FRAME_HEADER_BYTES = 24

/** What the log says the database is, once its last complete transaction is in it. */
interface CommittedPages {
  readonly pageBytes: number
  readonly pageCount: number
  /** Where each page's latest content begins in the log. */
  readonly placeOf: ReadonlyMap<number, number>
}

/** Whether an SQLite write-ahead log holds transactions that are complete: without any it says nothing. */
export function holdsTransactions(log: Uint8Array): boolean {
  return committedPages(log) !== undefined
}

/**
 * An SQLite database as it is with its write-ahead log, after https://www.sqlite.org/fileformat2.html#walformat: a log
 * counts up to the last transaction that is complete, and as far as its checksums hold. The database itself without one.
 */
export function withLog(database: Uint8Array, log: Uint8Array): Uint8Array {
  const committed = committedPages(log)
  if (committed === undefined) return database
  const { pageBytes, pageCount, placeOf } = committed
  const whole = new Uint8Array(pageBytes * pageCount)
  whole.set(database.subarray(0, Math.min(database.length, whole.length)))
  for (const [page, at] of placeOf)
    if (page <= pageCount) whole.set(log.subarray(at, at + pageBytes), (page - 1) * pageBytes)
  return whole
}

function committedPages(log: Uint8Array): CommittedPages | undefined {
  if (log.length < HEADER_BYTES + FRAME_HEADER_BYTES) return undefined
  const reader = new ByteReader(log, 'big-endian')
  const magic = reader.u32(0)
  const pageBytes = reader.u32(8)
  const isPageSize = pageBytes >= 512 && pageBytes <= 65_536 && (pageBytes & (pageBytes - 1)) === 0
  if ((magic !== MAGIC_LITTLE && magic !== MAGIC_BIG) || reader.u32(4) !== FORMAT || !isPageSize) return undefined
  const sums = new Checksum(new ByteReader(log, magic === MAGIC_BIG ? 'big-endian' : 'little-endian'))
  sums.add(0, HEADER_BYTES - 8)
  if (!sums.is(reader.u32(24), reader.u32(28))) return undefined

  const open = new Map<number, number>()
  const placeOf = new Map<number, number>()
  let pageCount = 0
  const frameBytes = FRAME_HEADER_BYTES + pageBytes
  for (let at = HEADER_BYTES; at + frameBytes <= log.length; at += frameBytes) {
    const page = reader.u32(at)
    const countAfter = reader.u32(at + 4)
    const isOfThisLog = reader.u32(at + 8) === reader.u32(16) && reader.u32(at + 12) === reader.u32(20)
    sums.add(at, 8)
    sums.add(at + FRAME_HEADER_BYTES, pageBytes)
    if (page === 0 || !isOfThisLog || !sums.is(reader.u32(at + 16), reader.u32(at + 20))) break
    open.set(page, at + FRAME_HEADER_BYTES)
    if (countAfter === 0) continue
    // A size that neither the database nor the log could have comes from nobody's database.
    if (countAfter * pageBytes > MAX_DATABASE_BYTES) break
    pageCount = countAfter
    for (const [one, place] of open) placeOf.set(one, place)
    open.clear()
  }
  return pageCount === 0 ? undefined : { pageBytes, pageCount, placeOf }
}

/** More than an analysis reads of any database. */
const MAX_DATABASE_BYTES = 256 * 1024 * 1024

/** The running checksum of a log: two sums over pairs of 32-bit words. */
class Checksum {
  readonly #words: ByteReader
  #first = 0
  #second = 0

  constructor(words: ByteReader) {
    this.#words = words
  }

  add(from: number, length: number): void {
    for (let at = from; at < from + length; at += 8) {
      this.#first = (this.#first + this.#words.u32(at) + this.#second) >>> 0
      this.#second = (this.#second + this.#words.u32(at + 4) + this.#first) >>> 0
    }
  }

  is(first: number, second: number): boolean {
    return this.#first === first && this.#second === second
  }
}
