import type { Inflater } from './inflater.ts'
import { MalformedFile } from './malformed-file.ts'
import { type ZipEntry, zipContent } from './zip-directory.ts'

/** The content of one entry, inflated. Throws {@link MalformedFile} when it is encrypted, packed in an unknown way or too large. */
export function unzip(bytes: Uint8Array, entry: ZipEntry, inflater: Inflater, maxBytes: number): Uint8Array {
  if (entry.isEncrypted) throw new MalformedFile(`${entry.name} in it is encrypted`)
  if (Math.max(entry.sizeBytes, entry.compressedBytes) > maxBytes)
    throw new MalformedFile(`${entry.name} in it is too large`)
  const content = zipContent(bytes, entry)
  if (entry.method === 0) return content
  if (entry.method !== 8) throw new MalformedFile(`${entry.name} in it is packed in an unknown way`)
  return inflater.raw(content, maxBytes)
}
