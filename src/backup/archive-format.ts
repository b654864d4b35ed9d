import { type Digest, digestAlgorithm, digestHex, tryParseDigest } from '../domain/digest.ts'
import { type BlobAddress, PLAIN, tryParseVault } from '../domain/vault.ts'
import type { BackedUpBlob } from './backup-format.ts'

/*
 * A backup in one archive, tar, so that it can be written and restored as it comes, entry by entry:
 *   ecru-backup.json                  says what this archive is, and of which snapshot
 *   metadata.db                       the records as they were at one moment
 *   blobs/plain/sha256/9f86d081…      a blob as it lies in the store, below the name of its vault
 *   blobs/server/sha256/60303ae2…
 *   blobs/server/sha256/60303ae2….sum the SHA-256 of the stored bytes, where the digest is not that;
 *                                     `none` behind one that had been bad already
 *   audit/…, advisories/…, keys/…     as in a directory of backups
 *   manifest.json                     last: an archive without it is none
 */
export const ARCHIVE_FORMAT = 'ecru-backup-archive'
/** Behind the name of a blob. */
export const SUM = '.sum'
export const NO_SUM = 'none'

const PLAIN_NAME = 'plain'
const BLOB_ENTRY = /^blobs\/([\w.-]+)\/(sha256|sha512)\/([0-9a-f]+)$/

/** What the first entry says. */
export interface ArchiveMark {
  readonly format: typeof ARCHIVE_FORMAT
  readonly version: number
  readonly snapshot: string
  readonly createdAt: string
}

/** The name of a blob in an archive. */
export function blobEntryName({ vault, digest }: BlobAddress): string {
  return `blobs/${vault === PLAIN ? PLAIN_NAME : vault}/${digestAlgorithm(digest)}/${digestHex(digest)}`
}

/** `undefined`: it names no blob. */
export function readBlobEntryName(name: string): BlobAddress | undefined {
  const [, vaultName = '', algorithm, hex] = BLOB_ENTRY.exec(name) ?? []
  const vault = vaultName === PLAIN_NAME ? PLAIN : tryParseVault(vaultName)
  const digest = tryParseDigest(`${algorithm}:${hex}`)
  return vault === undefined || vaultName === '' || digest === undefined ? undefined : { vault, digest }
}

/** Whether the digest of a blob says what its stored bytes are. */
export function isNamedByContent({ vault, digest }: BlobAddress): boolean {
  return vault === PLAIN && digest.startsWith('sha256:')
}

/** A blob as the list of an archive has it, by whose checksum one knows that none is missing. */
export function listed(blob: BlobAddress & { readonly sizeBytes: number; readonly object: Digest }): BackedUpBlob {
  return { ...blob, storedAtMs: 0 }
}
