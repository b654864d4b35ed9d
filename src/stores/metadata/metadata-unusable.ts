import { SQLiteError } from 'bun:sqlite'

/** The metadata cannot be worked with as they are; the message is a whole sentence for the operator. Nothing was changed. */
export class MetadataUnusable extends Error {
  override readonly name = 'MetadataUnusable'
}

/** The same failure, as a sentence where it means that the file is no good. */
export function inWords(thrown: unknown, file: string): unknown {
  if (!(thrown instanceof SQLiteError) || !/^SQLITE_(CORRUPT|NOTADB)/.test(thrown.code ?? '')) return thrown
  return new MetadataUnusable(
    `The metadata in ${file} are damaged: ${thrown.message}. Restore a backup with \`ecru restore\` into an empty data directory, and keep this one until that is done.`,
    { cause: thrown },
  )
}

/** Without its metadata a registry would be empty, and garbage collection would take all these blobs. */
export function metadataMissing(file: string): MetadataUnusable {
  return new MetadataUnusable(
    `There are blobs beside ${file}, but it is not there or is empty: what they are for is lost, and they would be collected as garbage. ` +
      'Put the metadata back, or restore a backup with `ecru restore` into an empty data directory; to begin anew, choose another data directory.',
  )
}
