import { ByteReader } from './byte-reader.ts'
import type { PackageFacts } from './layer-facts.ts'
import { MalformedFile } from './malformed-file.ts'

/** One installed package of an rpm database, with the files that it owns. */
export interface RpmPackage {
  readonly facts: PackageFacts
  readonly paths: readonly string[]
}

const TAG = {
  name: 1000,
  version: 1001,
  release: 1002,
  epoch: 1003,
  license: 1014,
  arch: 1022,
  sourceRpm: 1044,
  dirIndexes: 1116,
  baseNames: 1117,
  dirNames: 1118,
  modularityLabel: 5096,
} as const
const TAGS: ReadonlySet<number> = new Set(Object.values(TAG))

const TYPE_INT32 = 4
const TYPE_STRING = 6
const TYPE_STRING_ARRAY = 8
const TYPE_I18N_STRING = 9

/** As rpm itself bounds them (lib/header.c: hdrchkTags, hdrchkData). */
const MAX_ENTRIES = 0xff_ff
const MAX_DATA_BYTES = 0x0f_ff_ff_ff

interface Entry {
  readonly type: number
  readonly at: number
  readonly count: number
}

/**
 * Reads the header of a package as an rpm database keeps it: two counts, an index of 16 bytes per tag, the data; all
 * big-endian. `undefined` for keys (`gpg-pubkey`), which are no packages.
 */
export function parseRpmHeader(blob: Uint8Array, isWanted: (path: string) => boolean): RpmPackage | undefined {
  const reader = new ByteReader(blob, 'big-endian')
  const entryCount = reader.u32(0)
  const dataBytes = reader.u32(4)
  if (entryCount > MAX_ENTRIES || dataBytes > MAX_DATA_BYTES) throw new MalformedFile('a package header is too large')
  const dataAt = 8 + entryCount * 16
  const data = new ByteReader(reader.slice(dataAt, dataBytes), 'big-endian')
  const entries = new Map<number, Entry>()
  for (let at = 8; at < dataAt; at += 16) {
    const tag = reader.u32(at)
    if (TAGS.has(tag))
      entries.set(tag, { type: reader.u32(at + 4), at: reader.u32(at + 8), count: reader.u32(at + 12) })
  }

  const name = textIn(data, entries.get(TAG.name))
  const version = textIn(data, entries.get(TAG.version))
  const release = textIn(data, entries.get(TAG.release))
  if (name === undefined || version === undefined) throw new MalformedFile('a package header has no name or version')
  if (name === 'gpg-pubkey') return undefined
  const epoch = numbersIn(data, entries.get(TAG.epoch))[0]
  const licence = textIn(data, entries.get(TAG.license))
  const source = sourceOf(textIn(data, entries.get(TAG.sourceRpm)))
  const prefix = epoch === undefined || epoch === 0 ? '' : `${epoch}:`
  const facts: PackageFacts = {
    type: 'rpm',
    name,
    version: prefix + (release === undefined ? version : `${version}-${release}`),
    epoch,
    // A source package has the epoch of what is built from it; its file name leaves it out.
    sourceName: source?.name ?? name,
    sourceVersion: prefix + (source?.version ?? (release === undefined ? version : `${version}-${release}`)),
    arch: textIn(data, entries.get(TAG.arch)),
    moduleLabel: textIn(data, entries.get(TAG.modularityLabel)) || undefined,
    licences: licence === undefined ? undefined : [licence],
  }
  return { facts, paths: pathsIn(data, entries, isWanted) }
}

function textIn(data: ByteReader, entry: Entry | undefined): string | undefined {
  if (entry === undefined) return undefined
  if (entry.type !== TYPE_STRING && entry.type !== TYPE_I18N_STRING) return undefined
  return data.zeroEnded(entry.at)
}

function numbersIn(data: ByteReader, entry: Entry | undefined): readonly number[] {
  if (entry === undefined || entry.type !== TYPE_INT32) return []
  data.slice(entry.at, entry.count * 4)
  return Array.from({ length: entry.count }, (_, index) => data.u32(entry.at + index * 4))
}

function textsIn(data: ByteReader, entry: Entry | undefined): readonly string[] {
  if (entry === undefined || entry.type !== TYPE_STRING_ARRAY) return []
  const texts: string[] = []
  for (let at = entry.at; texts.length < entry.count; ) {
    const end = data.bytes.indexOf(0, at)
    if (at >= data.length || end < 0) throw new MalformedFile('a list in a package header ends too early')
    texts.push(data.text(at, end - at))
    at = end + 1
  }
  return texts
}

function pathsIn(
  data: ByteReader,
  entries: ReadonlyMap<number, Entry>,
  isWanted: (path: string) => boolean,
): readonly string[] {
  const directories = textsIn(data, entries.get(TAG.dirNames))
  const indexes = numbersIn(data, entries.get(TAG.dirIndexes))
  const paths: string[] = []
  for (const [index, base] of textsIn(data, entries.get(TAG.baseNames)).entries()) {
    const directory = directories[indexes[index] ?? -1]
    if (directory === undefined) continue
    const path = `${directory}${base}`.replace(/^\/+/, '')
    if (isWanted(path)) paths.push(path)
  }
  return paths
}

/** `util-linux-2.32.1-42.el8_8.src.rpm` → name, version with release. */
function sourceOf(file: string | undefined): { readonly name: string; readonly version: string } | undefined {
  const [, name, version] = /^(.+)-([^-]+-[^-]+)\.(?:no)?src\.rpm$/.exec(file ?? '') ?? []
  return name === undefined || version === undefined ? undefined : { name, version }
}
