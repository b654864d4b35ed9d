import { join } from 'node:path'
import { digestAlgorithm, digestHex } from '../../domain/digest.ts'
import { type BlobAddress, PLAIN, type Vault } from '../../domain/vault.ts'
import type { UploadKey } from '../blobs.ts'
import { isUploadKey } from './upload-keys.ts'

/*
 * <root>/
 *   blobs/
 *     sha256/
 *       9f/
 *         9f86d081884c…   one whole blob: renamed to here once flushed, never written to again; its modification time
 *                         is the moment of the commit
 *     sha512/…
 *   vaults/
 *     server/             what one vault holds, in the same order as in `blobs`
 *       sha256/…
 *   uploads/
 *     7c9e6679-7425-…     the staged bytes of one upload, in order: the file's size is the upload's
 *     7c9e6679-….server   the same, of one that will be a blob of a vault
 *     7c9e6679-….server~  the note beside it
 *   quarantine/
 *     sha256-9f86d081884c…-0b8fda1e-…   a blob set aside, under its digest and a UUID
 *
 * All directories are on one file system, so that a rename is atomic. Other files are left alone.
 */
export const BLOBS = 'blobs'
export const VAULTS = 'vaults'
export const UPLOADS = 'uploads'
export const QUARANTINE = 'quarantine'

/** Where a store in a directory keeps what. */
export class BlobPaths {
  readonly blobs: string
  readonly vaults: string
  readonly uploads: string
  readonly quarantine: string

  constructor(root: string) {
    this.blobs = join(root, BLOBS)
    this.vaults = join(root, VAULTS)
    this.uploads = join(root, UPLOADS)
    this.quarantine = join(root, QUARANTINE)
  }

  blob({ vault, digest }: BlobAddress): string {
    const hex = digestHex(digest)
    return join(this.vault(vault), digestAlgorithm(digest), hex.slice(0, 2), hex)
  }

  vault(vault: Vault): string {
    return vault === PLAIN ? this.blobs : join(this.vaults, vault)
  }

  /** `undefined`: no upload can have that key. */
  upload(key: UploadKey): string | undefined {
    return isUploadKey(key) ? join(this.uploads, key) : undefined
  }
}
