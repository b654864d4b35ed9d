import { layerTooLarge, layerTypeUnsupported, layerUnreadable } from '../domain/inventory/errors.ts'
import { isExecutable } from '../domain/inventory/executable.ts'
import type { FileFacts, LayerFacts, LinkFacts } from '../domain/inventory/layer-facts.ts'
import type { InventoryLimits } from '../domain/inventory/limits.ts'
import { baseName, directoryOf, plainPath } from '../domain/inventory/paths.ts'
import { isDatabaseKind, type ReadingTools, readFile, sizeOf } from '../domain/inventory/read-file.ts'
import { type FileKind, kindOf, LOG_SUFFIX } from '../domain/inventory/selection.ts'
import { holdsTransactions, withLog } from '../domain/inventory/sqlite-wal.ts'
import { compressionOf, decompressed } from '../lib/decompressed.ts'
import { BudgetedInflater } from '../lib/inflater.ts'
import { Scratch } from '../lib/scratch.ts'
import { type TarContent, type TarEntry, TarReader } from '../lib/tar-reader.ts'
import { LargeProgram } from './large-program.ts'

/** Layers of Docker and OCI, packed in any way, those that may not be distributed among them. */
const LAYER_TYPE =
  /^application\/vnd\.(?:oci\.image\.layer(?:\.nondistributable)?\.v1\.tar(?:\+(?:gzip|zstd))?|docker\.image\.rootfs\.(?:diff|foreign\.diff)\.tar(?:\.(?:gzip|zstd))?)$/

const WHITEOUT = '.wh.'
const OPAQUE = '.wh..wh..opq'
const AUFS_OWN = '.wh..wh.'

/** Links whose name shows that neither a directory nor a database is behind them. */
const LEAF_LINK =
  /\.(?:so(?:\.[\d.]+)?|gz|bz2|xz|pem|crt|0|1|h|py|pyc|js|mjs|ts|map|md|txt|html|css|png|svg|mo|conf|service|target|ttf)$/

/** What an object of bookkeeping counts for, beside its texts. */
const RECORD_CHARACTERS = 64

/** What an analysis is asked to read beside what it reads anyway. */
export interface LayerRequest {
  readonly mediaType: string
  readonly limits: InventoryLimits
  /** Paths, and what they are read as: files that a file of the operating system in another layer is a link to. */
  readonly wanted: ReadonlyMap<string, FileKind>
}

/**
 * Reads a layer as it streams by, and answers what is of interest in it. Holds one file at a time. Throws
 * `layer-unreadable`, `layer-too-large` and `layer-type-unsupported`; failures of the source pass unchanged.
 */
export async function analyseLayer(source: AsyncIterable<Uint8Array>, request: LayerRequest): Promise<LayerFacts> {
  if (!LAYER_TYPE.test(request.mediaType)) throw layerTypeUnsupported(request.mediaType)
  const collector = new Collector(request)
  const { limits } = request
  const reader = new TarReader((entry) => collector.take(entry), {
    entries: limits.layerEntries,
    pathBytes: limits.pathBytes,
  })
  const { start, stream } = await begun(source)
  const compression = compressionOf(start)
  let layerBytes = 0
  for await (const piece of decompressed(stream, compression)) {
    layerBytes += piece.length
    if (layerBytes > limits.layerBytes) throw layerTooLarge(`it holds more than ${limits.layerBytes} bytes`)
    reader.write(piece)
  }
  reader.end(compression === 'zstd' && layerBytes + start.length > 0)
  return collector.facts()
}

/** A stream with its first bytes seen: enough of them to tell how it is packed. */
async function begun(
  source: AsyncIterable<Uint8Array>,
): Promise<{ readonly start: Uint8Array; readonly stream: AsyncIterable<Uint8Array> }> {
  const pieces = source[Symbol.asyncIterator]()
  let start: Uint8Array = new Uint8Array()
  while (start.length < 4) {
    const { done, value } = await pieces.next()
    if (done) break
    start = start.length === 0 ? value : Uint8Array.from([...start, ...value])
  }
  const stream = (async function* () {
    try {
      if (start.length > 0) yield start
      for (let next = await pieces.next(); !next.done; next = await pieces.next()) yield next.value
    } finally {
      await pieces.return?.()
    }
  })()
  return { start, stream }
}

/** Decides for each entry what is read of it, and keeps what was found. Of entries at one path the last one counts. */
class Collector {
  readonly #limits: InventoryLimits
  readonly #wanted: ReadonlyMap<string, FileKind>
  readonly #tools: ReadingTools
  readonly #scratch = new Scratch()
  readonly #files = new Map<string, FileFacts>()
  readonly #links = new Map<string, LinkFacts>()
  readonly #plainPrograms = new Set<string>()
  readonly #removed = new Set<string>()
  readonly #opaque = new Set<string>()
  /** Databases that a log could belong to, and logs, until the layer has been read. */
  readonly #databases = new Map<string, Uint8Array>()
  readonly #logs = new Map<string, Uint8Array>()
  #keptCharacters = 0

  constructor({ limits, wanted }: LayerRequest) {
    this.#limits = limits
    this.#wanted = wanted
    this.#tools = { inflater: new BudgetedInflater(limits.inflatedBytes), limits }
  }

  take(entry: TarEntry): TarContent | undefined {
    const path = plainPath(entry.path)
    if (path === undefined) throw layerUnreadable('its archive has a path that leads out of it')
    const name = baseName(path)
    if (name.startsWith(WHITEOUT)) {
      this.#whiteOut(path, name)
      return undefined
    }
    this.#forget(path)
    switch (entry.type) {
      case 'file':
        return this.#takeFile(path, entry)
      case 'symbolic-link':
        if (!LEAF_LINK.test(name)) this.#keepLink({ path, target: entry.linkPath, isHard: false })
        return undefined
      case 'hard-link':
        this.#takeHardLink(path, entry.linkPath)
        return undefined
      default:
        return undefined
    }
  }

  facts(): LayerFacts {
    for (const [path, log] of this.#logs) this.#applyLog(path, log)
    return {
      files: [...this.#files],
      removed: [...this.#removed],
      opaque: [...this.#opaque],
      links: [...this.#links.values()],
      plainPrograms: [...this.#plainPrograms],
    }
  }

  #whiteOut(path: string, name: string): void {
    if (name === OPAQUE) this.#keep(directoryOf(path), () => this.#opaque.add(directoryOf(path)))
    else if (!name.startsWith(AUFS_OWN)) {
      const directory = directoryOf(path)
      const hidden = name.slice(WHITEOUT.length)
      this.#keep(path, () => this.#removed.add(directory === '' ? hidden : `${directory}/${hidden}`))
    }
  }

  #takeFile(path: string, entry: TarEntry): TarContent | undefined {
    const kind = this.#wanted.get(path) ?? kindOf(path)
    if (kind !== undefined) return this.#reading(path, kind, entry)
    const isProgram = (entry.mode & 0o111) !== 0 || path.endsWith('.exe')
    return isProgram && entry.sizeBytes > 0 ? this.#tryingProgram(path, entry) : undefined
  }

  #reading(path: string, kind: FileKind, entry: TarEntry): TarContent | undefined {
    const { bytes, isBeginningEnough } = sizeOf(kind, this.#limits)
    const obstacle = entry.isSparse
      ? 'its archive holds it with gaps'
      : entry.sizeBytes > bytes && !isBeginningEnough
        ? `it is larger than ${bytes} bytes`
        : undefined
    if (obstacle !== undefined) {
      this.#keepFile(path, { unreadable: obstacle, ...(isDatabaseKind(kind) ? { isDatabase: true } : {}) })
      return undefined
    }
    const scratch = this.#scratch
    scratch.clear()
    scratch.reserve(Math.min(entry.sizeBytes, bytes))
    return {
      write: (piece) => {
        scratch.append(piece)
        return scratch.filled < bytes
      },
      end: () => {
        const kept = kind === 'rpm-log' ? this.#logs : path.endsWith('.sqlite') ? this.#databases : undefined
        const bytes = kept === undefined ? scratch.bytes() : scratch.take()
        kept?.set(path, bytes)
        const facts = readFile(kind, bytes, path, this.#tools)
        if (facts !== undefined) this.#keepFile(path, facts)
      },
    }
  }

  /** What a log holds is in the database as soon as somebody opens it: the database is read as it is then. */
  #applyLog(path: string, log: Uint8Array): void {
    if (!holdsTransactions(log)) return
    const of = path.slice(0, -LOG_SUFFIX.length)
    const database = this.#databases.get(of)
    if (database === undefined) {
      this.#keepFile(path, { isDatabase: true, isLog: true })
      return
    }
    const facts = readFile('rpm', withLog(database, log), of, this.#tools)
    if (facts !== undefined) this.#keepFile(of, facts)
  }

  /** Looks at the first bytes, and reads on when they are those of a program. */
  #tryingProgram(path: string, entry: TarEntry): TarContent {
    const scratch = this.#scratch
    scratch.clear()
    let large: LargeProgram | undefined
    let isPlain = false
    return {
      write: (piece) => {
        if (large !== undefined) return large.write(piece)
        scratch.append(piece)
        if (scratch.filled < 4) return true
        if (!isExecutable(scratch.bytes())) {
          isPlain = true
          return false
        }
        if (entry.sizeBytes <= this.#limits.programBytes && !entry.isSparse) {
          scratch.reserve(entry.sizeBytes)
          return true
        }
        const start = scratch.bytes().slice()
        large = new LargeProgram(scratch)
        return large.write(start)
      },
      end: () => {
        const isRead = !isPlain && (large !== undefined || scratch.filled >= 4)
        const facts = isRead ? (large === undefined ? this.#readProgram(path) : large.facts()) : undefined
        if (facts === undefined) this.#keep(path, () => this.#plainPrograms.add(path))
        else this.#keepFile(path, facts)
      },
    }
  }

  #readProgram(path: string): FileFacts | undefined {
    const facts = readFile('program', this.#scratch.bytes(), path, this.#tools)
    return facts?.packages?.length === 0 ? undefined : facts
  }

  /** A second name of a file of this layer, or (where its first name was of no interest) of one that has to be looked for. */
  #takeHardLink(path: string, linkPath: string): void {
    const target = plainPath(linkPath)
    if (target === undefined) throw layerUnreadable('its archive has a link that leads out of it')
    const facts = this.#files.get(target)
    if (facts !== undefined) this.#keepFile(path, facts)
    else if (this.#plainPrograms.has(target)) this.#keep(path, () => this.#plainPrograms.add(path))
    else if (kindOf(path) !== undefined) this.#keepLink({ path, target, isHard: true })
  }

  #forget(path: string): void {
    this.#files.delete(path)
    this.#links.delete(path)
    this.#plainPrograms.delete(path)
    this.#databases.delete(path)
    this.#logs.delete(path)
  }

  #keepLink(link: LinkFacts): void {
    this.#keep(link.target, () => this.#links.set(link.path, link))
    this.#count(link.path.length)
  }

  #keepFile(path: string, facts: FileFacts): void {
    const isEmpty = facts.packages?.length === 0 && facts.owned === undefined && facts.remarks === undefined
    // A description without name or version hides one that lay there before.
    this.#keep(path, () => this.#files.set(path, isEmpty && !facts.isDatabase ? {} : facts))
    for (const one of facts.packages ?? []) this.#count(RECORD_CHARACTERS + one.name.length + one.version.length)
    for (const owned of facts.owned ?? []) this.#count(owned.length)
    for (const value of Object.values(facts.osRelease ?? {})) this.#count(value.length)
    for (const remark of facts.remarks ?? []) this.#count(remark.length)
  }

  #keep(path: string, work: () => void): void {
    this.#count(RECORD_CHARACTERS + path.length)
    work()
  }

  #count(characters: number): void {
    this.#keptCharacters += characters
    if (this.#keptCharacters > this.#limits.keptCharacters)
      throw layerTooLarge(`what is of interest in it is more than ${this.#limits.keptCharacters} characters`)
  }
}
