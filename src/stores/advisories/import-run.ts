import { mkdirSync, readFileSync, statSync } from 'node:fs'
import { basename } from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Advisory } from '../../domain/advisories/advisory.ts'
import { familyOf } from '../../domain/advisories/ecosystems.ts'
import { isKevCatalogue, parseKev } from '../../domain/advisories/kev.ts'
import { NoOsvRecord, parseOsv } from '../../domain/advisories/osv.ts'
import { BadZip, ZipFile } from '../../lib/zip-file.ts'
import {
  AdvisoryImportFailed,
  type ImportProgress,
  type ImportReport,
  type ImportRequest,
  type RejectedRecord,
} from '../advisories.ts'
import { type DumpName, dumpNames, isDumpOf } from './dump-name.ts'
import { type ImportPart, planLocal } from './import-plan.ts'
import { RemoteSource } from './remote-source.ts'
import { Staging } from './staging.ts'

const ZIP_LIMITS = { entriesMax: 5_000_000, entryBytesMax: 64 * 1024 * 1024 }
const FILE_BYTES_MAX = 256 * 1024 * 1024
/** So many records are lost at most when an import is cut off. */
const RECORDS_PER_MARK = 5_000
const REJECTED_NAMED_MAX = 20

const SOURCE = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** Does an import from beginning to end, in the thread that calls it. Throws `AdvisoryImportFailed`. */
export async function runImport(
  directory: string,
  request: ImportRequest,
  onProgress: (progress: ImportProgress) => void,
): Promise<ImportReport> {
  const startedAt = performance.now()
  const { source = 'osv' } = request
  if (!SOURCE.test(source))
    throw new AdvisoryImportFailed('A source is named with up to 64 letters, digits, dots, hyphens and underscores.')
  mkdirSync(directory, { recursive: true })
  const isRemote = /^https?:\/\//i.test(request.from)
  const remote = isRemote ? new RemoteSource(request, directory) : undefined
  const plan = remote === undefined ? planLocal(request) : undefined
  const fingerprint = `${plan?.fingerprint ?? remote?.fingerprint ?? ''} ${source}`
  const staging = Staging.open(directory, fingerprint, request.at)
  const run = new Run(staging, source, onProgress)
  try {
    if (plan !== undefined) run.importAll(plan.parts)
    else if (remote !== undefined) await remote.eachPart(staging, (part, count) => run.import(part, count))
    const { counts, isResumed } = staging
    const { revision, changedPackageCount } = staging.publish(source, request.at)
    return {
      ...counts,
      isChanged: counts.addedCount + counts.changedCount + counts.removedCount + changedPackageCount > 0,
      revision,
      isResumed,
      rejected: run.rejected,
      changedPackageCount,
      durationMs: Math.round(performance.now() - startedAt),
    }
  } catch (thrown) {
    staging.close()
    if (thrown instanceof BadZip)
      throw new AdvisoryImportFailed(`${run.partName}: ${thrown.message}`, { cause: thrown })
    throw thrown
  } finally {
    remote?.close()
  }
}

class Run {
  readonly rejected: RejectedRecord[] = []
  partName = ''
  readonly #staging: Staging
  readonly #source: string
  readonly #nameOf: DumpName
  readonly #onProgress: (progress: ImportProgress) => void
  #partsDone = 0
  #partCount = 1

  constructor(staging: Staging, source: string, onProgress: (progress: ImportProgress) => void) {
    this.#staging = staging
    this.#source = source
    this.#nameOf = dumpNames(source)
    this.#onProgress = onProgress
  }

  importAll(parts: readonly ImportPart[]): void {
    for (const part of parts) this.import(part, parts.length)
  }

  import(part: ImportPart, partCount: number): void {
    this.partName = part.name
    this.#partCount = partCount
    this.#tell()
    const dump = part.dump && this.#nameOf(part.dump)
    if (part.file.endsWith('.zip')) this.#importArchive({ ...part, dump })
    else this.#importFile({ ...part, dump })
    if (dump !== undefined && part.writtenAt !== undefined) this.#staging.noteWritten(dump, part.writtenAt)
    this.#partsDone++
    this.#tell()
  }

  #importArchive({ key, file, dump, isWhole }: ImportPart): void {
    const archive = ZipFile.open(file, ZIP_LIMITS)
    try {
      const names = new Map<string, number>()
      for (const [at, { name }] of archive.entries.entries()) if (name.endsWith('.json')) names.set(idOf(name), at)
      const entries = [...names.values()].toSorted((a, b) => a - b)
      let done = this.#staging.position(key)
      for (const at of entries.slice(done)) {
        const entry = archive.entries[at]
        if (entry !== undefined) this.#importEntry(archive, entry, dump)
        if (++done % RECORDS_PER_MARK === 0) this.#mark(key, done)
      }
      if (dump !== undefined) this.#staging.dumps.add(dump)
      if (isWhole && dump !== undefined)
        this.#staging.counts.removedCount += this.#staging.removeOthers(dump, new Set(names.keys()))
      this.#mark(key, done)
    } finally {
      archive.close()
    }
  }

  #importEntry(archive: ZipFile, entry: ZipFile['entries'][number], dump: string | undefined): void {
    const id = idOf(entry.name)
    this.#staging.counts.recordsRead++
    if (dump !== undefined && this.#staging.hasSame(dump, id, entry.crc32)) {
      this.#staging.counts.unchangedCount++
      return
    }
    if (entry.sizeBytes > ZIP_LIMITS.entryBytesMax) this.#reject(entry.name, 'It is too large.')
    else this.#importRecord(archive.read(entry), entry.name, dump, entry.crc32)
  }

  #importFile({ key, name, file, dump }: ImportPart): void {
    const text = readBounded(file)
    const document = parseJson(text)
    if (isKevCatalogue(document)) this.#staging.putKnownExploited(parseKev(document))
    else {
      this.#importRecord(text, name, dump, 0)
      if (++this.#staging.counts.recordsRead % RECORDS_PER_MARK === 0) this.#mark(key, 1)
    }
  }

  #importRecord(text: Buffer, name: string, dump: string | undefined, crc: number): void {
    const advisory = this.#parse(text, name)
    if (advisory === undefined) return
    if (dump !== undefined && advisory.id !== idOf(name)) {
      this.#reject(name, `It says that it is ${advisory.id}.`)
      return
    }
    for (const target of dump === undefined ? this.#dumpsFor(advisory) : [dump]) {
      this.#staging.dumps.add(target)
      this.#staging.counts[COUNTS[this.#staging.put(target, crc, advisory)]]++
    }
  }

  #parse(text: Buffer, name: string): Advisory | undefined {
    try {
      return parseOsv(parseJson(text))
    } catch (thrown) {
      if (!(thrown instanceof NoOsvRecord)) throw thrown
      this.#reject(name, thrown.message)
      return undefined
    }
  }

  /** Single records replace themselves wherever their source has them; a new one goes to the dump of its first package. */
  #dumpsFor({ id, affected }: Advisory): readonly string[] {
    const known = this.#staging.dumpsOf(id).filter((dump) => isDumpOf(this.#source, dump))
    return known.length > 0 ? known : [this.#nameOf(familyOf(affected[0]?.ecosystem ?? 'other'))]
  }

  #reject(name: string, reason: string): void {
    this.#staging.counts.rejectedCount++
    if (this.rejected.length < REJECTED_NAMED_MAX) this.rejected.push({ name, reason })
  }

  #mark(key: string, position: number): void {
    this.#staging.mark(key, position)
    this.#tell()
  }

  #tell(): void {
    this.#onProgress({
      part: this.partName,
      partsDone: this.#partsDone,
      partCount: this.#partCount,
      recordsRead: this.#staging.counts.recordsRead,
    })
  }
}

const COUNTS = { added: 'addedCount', changed: 'changedCount', unchanged: 'unchangedCount' } as const

/** By the layout of the bucket a record's file has its id as name. */
function idOf(name: string): string {
  return basename(name).replace(/\.json(\.gz)?$/, '')
}

function readBounded(file: string): Buffer {
  const { size } = statSync(file)
  if (size > FILE_BYTES_MAX) throw new AdvisoryImportFailed(`${file} is larger than ${FILE_BYTES_MAX} bytes.`)
  const content = readFileSync(file)
  if (!file.endsWith('.gz')) return content
  try {
    return gunzipSync(content, { maxOutputLength: FILE_BYTES_MAX })
  } catch (cause) {
    throw new AdvisoryImportFailed(`${file} cannot be unpacked.`, { cause })
  }
}

/** What is no JSON is no record. */
function parseJson(text: Buffer): unknown {
  try {
    return JSON.parse(text.toString('utf8')) as unknown
  } catch {
    return undefined
  }
}
