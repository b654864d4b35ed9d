import { type Digest, tryParseDigest } from '../domain/digest.ts'
import { type BlobAddress, tryParseVault } from '../domain/vault.ts'

/*
 * <backup>/
 *   ecru-backup.json         says what this directory is
 *   objects/9f/9f86d081…     what was stored as one blob, under the SHA-256 of the stored bytes; shared by all snapshots
 *   snapshots/
 *     20260102T030405Z-1a2b3c4d/
 *       metadata.db          the records as they were at one moment
 *       blobs.jsonl          which object is which blob, one a line
 *       audit/…              the audit log
 *       (advisories: an object as well, named by the manifest)
 *       keys/…               the master key and the keys of the own authority, when they were asked for
 *       manifest.json        what belongs to the snapshot, with checksums; written last: without it there is none
 */
export const MARK_FILE = 'ecru-backup.json'
export const OBJECTS = 'objects'
export const SNAPSHOTS = 'snapshots'
export const METADATA_COPY = 'metadata.db'
export const BLOB_LIST = 'blobs.jsonl'
/** Of the installation that makes its own. */
export const MASTER_KEY_COPY = 'keys/master.key'
export const MANIFEST_FILE = 'manifest.json'

export const FORMAT_VERSION = 1

/** The directory is no backup, or not one that can be used; the message is a whole sentence for the operator. */
export class BackupFailure extends Error {
  override readonly name = 'BackupFailure'
}

/** One blob of a snapshot. */
export interface BackedUpBlob extends BlobAddress {
  /** Of what is stored, which is more than the content when it is encrypted. */
  readonly sizeBytes: number
  readonly storedAtMs: number
  /** The SHA-256 of what is stored: of plain content, its digest. */
  readonly object: Digest
}

/** One file of a snapshot beside the blobs. */
export interface BackedUpFile {
  /** Below the directory of the snapshot. */
  readonly path: string
  readonly sizeBytes: number
  readonly sha256: string
  /** Of its source, where that tells whether it has to be read again. */
  readonly modifiedAtMs?: number | undefined
}

/** What a snapshot consists of. */
export interface BackupManifest {
  readonly version: number
  readonly id: string
  /** The moment of which the records are. */
  readonly createdAt: string
  /** Of the program that wrote it. */
  readonly ecru: string
  readonly metadata: BackedUpFile
  readonly blobList: BackedUpFile
  readonly blobCount: number
  readonly blobBytes: number
  /** Those whose content only the keys open. */
  readonly encryptedBlobCount: number
  readonly audit: readonly BackedUpFile[]
  /** What scans compare images with. In a directory of backups they lie among the objects, for most snapshots share them. */
  readonly advisories: readonly BackedUpFile[]
  readonly keys: readonly BackedUpFile[]
  /** What was on record and not in the store, or there with other bytes. */
  readonly faults: readonly Damage[]
}

/** A blob, or the advisories, that a backup cannot give back. */
export interface Damage {
  readonly digest: string
  readonly fault: 'missing' | 'corrupt'
}

/** The line of a blob in the list of a snapshot. */
export function printBlob({ vault, digest, sizeBytes, storedAtMs, object }: BackedUpBlob): string {
  return `${JSON.stringify({ vault, digest, sizeBytes, storedAtMs, object })}\n`
}

/** `undefined`: the line is none, or was cut off. */
export function readBlob(line: string): BackedUpBlob | undefined {
  const value = parse(line)
  if (value === undefined) return undefined
  const { sizeBytes, storedAtMs } = value
  const vault = tryParseVault(String(value.vault))
  const [digest, object] = [value.digest, value.object].map((text) => tryParseDigest(String(text)))
  if (vault === undefined || digest === undefined || object === undefined) return undefined
  if (!isCount(sizeBytes) || typeof storedAtMs !== 'number') return undefined
  return { vault, digest, sizeBytes, storedAtMs, object }
}

/** Throws `BackupFailure`. */
export function readManifest(text: string, id: string): BackupManifest {
  const value = parse(text)
  if (value === undefined || value.id !== id) throw new BackupFailure(`The manifest of the snapshot ${id} is damaged.`)
  if (value.version !== FORMAT_VERSION)
    throw new BackupFailure(`The snapshot ${id} has the format ${String(value.version)}, which is not known here.`)
  const advisories = value.advisories ?? []
  const files = [value.metadata, value.blobList, ...listOf(value.audit), ...listOf(advisories), ...listOf(value.keys)]
  if (!files.every(isFile) || !isCount(value.blobCount) || !isCount(value.blobBytes) || !Array.isArray(value.faults))
    throw new BackupFailure(`The manifest of the snapshot ${id} is damaged.`)
  return { ...value, advisories } as unknown as BackupManifest
}

type Json = Readonly<Record<string, unknown>>

function parse(text: string): Json | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Json) : undefined
  } catch {
    return undefined
  }
}

const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [undefined])
const isCount = (value: unknown): value is number => Number.isSafeInteger(value) && Number(value) >= 0

/** No name leads out of the snapshot. */
function isFile(value: unknown): value is BackedUpFile {
  if (typeof value !== 'object' || value === null) return false
  const { path, sizeBytes, sha256 } = value as Json
  return (
    typeof path === 'string' &&
    /^(?:(?:advisories|audit|keys|keys\/tls)\/)?[\w-][\w.-]*$/.test(path) &&
    isCount(sizeBytes) &&
    typeof sha256 === 'string' &&
    /^[0-9a-f]{64}$/.test(sha256)
  )
}
