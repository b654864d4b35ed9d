import { ByteReader } from './byte-reader.ts'
import { MalformedFile } from './malformed-file.ts'

const FILE_MAGIC = 0x50_6d_70_52 // "RpmP", little-endian
const SLOT_MAGIC = 0x74_6f_6c_53 // "Slot"
const BLOB_MAGIC = 0x53_62_6c_42 // "BlbS"
const SLOT_BYTES = 16
const SLOT_PAGE_BYTES = 4096
const BLOCK_BYTES = 16

export function isNdb(bytes: Uint8Array): boolean {
  return bytes.length >= 32 && new ByteReader(bytes, 'little-endian').u32(0) === FILE_MAGIC
}

/**
 * The package headers of rpm's own database format (`Packages.db`, SUSE): pages of slots, each of which names the blocks
 * of one package, after rpm's lib/backend/ndb/rpmpkg.c.
 */
export function* ndbValues(bytes: Uint8Array): Generator<Uint8Array> {
  const reader = new ByteReader(bytes, 'little-endian')
  if (reader.u32(0) !== FILE_MAGIC) throw new MalformedFile('it is no ndb database')
  if (reader.u32(4) !== 0) throw new MalformedFile('it is an ndb database of an unknown version')
  const slotArea = reader.u32(12) * SLOT_PAGE_BYTES
  reader.slice(0, slotArea)
  // The file's own description takes the place of the first two slots.
  for (let at = 2 * SLOT_BYTES; at < slotArea; at += SLOT_BYTES) {
    if (reader.u32(at) !== SLOT_MAGIC) throw new MalformedFile('a slot is broken')
    const packageIndex = reader.u32(at + 4)
    if (packageIndex === 0) continue
    const blob = reader.u32(at + 8) * BLOCK_BYTES
    if (reader.u32(blob) !== BLOB_MAGIC || reader.u32(blob + 4) !== packageIndex)
      throw new MalformedFile('a package is not where its slot says')
    yield reader.slice(blob + 16, reader.u32(blob + 12))
  }
}
