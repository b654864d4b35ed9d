import { randomUUID } from 'node:crypto'
import { uploadKeyFor, vaultOfUpload } from '../../domain/upload.ts'
import type { Vault } from '../../domain/vault.ts'
import type { UploadKey } from '../blobs.ts'

/** A new key for an upload that will be a blob of that vault. */
export function newUploadKey(vault: Vault): UploadKey {
  return uploadKeyFor(randomUUID(), vault) as UploadKey
}

/** A text that is a key of some vault. */
export function isUploadKey(text: string): text is UploadKey {
  return vaultOfUpload(text) !== undefined
}
