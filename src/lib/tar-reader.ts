import { layerTooLarge, layerUnreadable } from '../domain/inventory/errors.ts'
import {
  BLOCK_BYTES,
  hasContent,
  parsePaxRecords,
  parseTarHeader,
  type TarEntryType,
  typeOfFlag,
} from './tar-header.ts'

/** One entry of an archive, long names and extension headers put in. */
export interface TarEntry {
  /** As the archive has it. */
  readonly path: string
  readonly type: TarEntryType
  readonly linkPath: string
  readonly mode: number
  readonly sizeBytes: number
  /** Its content has holes that the archive leaves out: what `write` gets is not the file as it would be unpacked. */
  readonly isSparse: boolean
}

/** Takes the content of one entry. */
export interface TarContent {
  /** The next bytes, valid during the call only. False: no more are wanted. */
  write(bytes: Uint8Array): boolean
  /** All have come. Called even when no more were wanted. */
  end(): void
}

export interface TarLimits {
  readonly entries: number
  readonly pathBytes: number
}

const MAX_EXTENSION_BYTES = 1024 * 1024

/**
 * Reads a tar archive that is pushed into it piece by piece: ustar, pax, GNU. Keeps a block, or an extension header, at
 * a time, never content. Throws `layer-unreadable` for what is damaged, `layer-too-large` for what exceeds the limits.
 */
export class TarReader {
  readonly #begin: (entry: TarEntry) => TarContent | undefined
  readonly #limits: TarLimits
  readonly #block = new Uint8Array(BLOCK_BYTES)
  #blockFilled = 0
  #contentLeft = 0
  #paddingLeft = 0
  #content: TarContent | undefined
  #wantsMore = false
  #entryCount = 0
  #zeroBlocks = 0
  #longPath: string | undefined
  #longLink: string | undefined
  #pax: ReadonlyMap<string, string> | undefined

  /** @param begin is told of each entry, and answers who takes its content; nobody when it is of no interest. */
  constructor(begin: (entry: TarEntry) => TarContent | undefined, limits: TarLimits) {
    this.#begin = begin
    this.#limits = limits
  }

  /** Whether the mark that ends an archive has come. What follows it is of no meaning. */
  get isEnded(): boolean {
    return this.#zeroBlocks >= 2
  }

  write(piece: Uint8Array): void {
    let at = 0
    while (at < piece.length && !this.isEnded) {
      if (this.#contentLeft > 0) at += this.#takeContent(piece, at)
      else if (this.#paddingLeft > 0) {
        const skipped = Math.min(this.#paddingLeft, piece.length - at)
        this.#paddingLeft -= skipped
        at += skipped
      } else at += this.#takeHeader(piece, at)
    }
  }

  /**
   * To be called when the stream is over.
   * @param needsMark whether the archive must end with its mark, since the stream could have been cut off unseen.
   */
  end(needsMark: boolean): void {
    if (this.isEnded) return
    const isBetweenEntries = this.#contentLeft === 0 && this.#blockFilled === 0 && this.#paddingLeft === 0
    const hasPending = this.#pax !== undefined || this.#longPath !== undefined || this.#longLink !== undefined
    if (!isBetweenEntries || hasPending || (needsMark && this.#zeroBlocks === 0))
      throw layerUnreadable('its archive is cut off')
  }

  #takeContent(piece: Uint8Array, at: number): number {
    const taken = Math.min(this.#contentLeft, piece.length - at)
    if (this.#wantsMore && this.#content !== undefined)
      this.#wantsMore = this.#content.write(piece.subarray(at, at + taken))
    this.#contentLeft -= taken
    if (this.#contentLeft === 0) this.#endContent()
    return taken
  }

  #endContent(): void {
    const content = this.#content
    this.#content = undefined
    content?.end()
  }

  #takeHeader(piece: Uint8Array, at: number): number {
    const taken = Math.min(BLOCK_BYTES - this.#blockFilled, piece.length - at)
    if (taken === BLOCK_BYTES) this.#header(piece.subarray(at, at + taken))
    else {
      this.#block.set(piece.subarray(at, at + taken), this.#blockFilled)
      this.#blockFilled += taken
      if (this.#blockFilled === BLOCK_BYTES) {
        this.#blockFilled = 0
        this.#header(this.#block)
      }
    }
    return taken
  }

  #header(block: Uint8Array): void {
    const header = parseTarHeader(block)
    if (header === undefined) {
      this.#zeroBlocks++
      return
    }
    if (this.#zeroBlocks > 0) throw layerUnreadable('its archive goes on behind its end')
    if (++this.#entryCount > this.#limits.entries)
      throw layerTooLarge(`its archive has more than ${this.#limits.entries} entries`)
    const { flag } = header
    if (flag === 'x' || flag === 'g' || flag === 'L' || flag === 'K') {
      this.#extension(flag, header.sizeBytes)
      return
    }
    const pax = this.#pax
    const path = pax?.get('GNU.sparse.name') ?? pax?.get('path') ?? this.#longPath ?? header.path
    const linkPath = pax?.get('linkpath') ?? this.#longLink ?? header.linkPath
    const sizeBytes = sizeOf(pax?.get('size')) ?? header.sizeBytes
    this.#pax = this.#longPath = this.#longLink = undefined
    if (path.length > this.#limits.pathBytes || linkPath.length > this.#limits.pathBytes)
      throw layerTooLarge(`its archive has a path of more than ${this.#limits.pathBytes} bytes`)
    if (path.includes('\0') || linkPath.includes('\0'))
      throw layerUnreadable('its archive has a path with a zero in it')
    const contentBytes = hasContent(flag) ? sizeBytes : 0
    const isSparse = flag === 'S' || [...(pax?.keys() ?? [])].some((key) => key.startsWith('GNU.sparse.'))
    const type = typeOfFlag(flag, path)
    this.#await(
      contentBytes,
      this.#begin({ path, type, linkPath, mode: header.mode, sizeBytes: contentBytes, isSparse }),
    )
  }

  #await(contentBytes: number, content: TarContent | undefined): void {
    this.#content = content
    this.#wantsMore = content !== undefined
    this.#contentLeft = contentBytes
    this.#paddingLeft = (BLOCK_BYTES - (contentBytes % BLOCK_BYTES)) % BLOCK_BYTES
    if (contentBytes === 0) this.#endContent()
  }

  /** `x`: of the next entry; `g`: of all that follow, where nothing of interest stands; `L`, `K`: GNU's long path and link. */
  #extension(flag: 'x' | 'g' | 'L' | 'K', sizeBytes: number): void {
    if (sizeBytes > MAX_EXTENSION_BYTES) throw layerTooLarge('its archive has an extension header of more than a MiB')
    const bytes = new Uint8Array(sizeBytes)
    let filled = 0
    this.#await(sizeBytes, {
      write: (piece) => {
        bytes.set(piece, filled)
        filled += piece.length
        return true
      },
      end: () => {
        if (flag === 'x') this.#pax = parsePaxRecords(bytes)
        else if (flag === 'L') this.#longPath = zeroEnded(bytes)
        else if (flag === 'K') this.#longLink = zeroEnded(bytes)
      },
    })
  }
}

function zeroEnded(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

function sizeOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined
  const size = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN
  if (Number.isNaN(size)) throw layerUnreadable('an entry of its archive has an impossible size')
  return size
}
