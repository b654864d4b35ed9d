import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { BackupFolder } from './backup-folder.ts'
import { type BackedUpBlob, type BackedUpFile, BackupFailure, type BackupManifest } from './backup-format.ts'
import { sumOf } from './durable-files.ts'

/** What a look at a snapshot has found. */
export interface CheckReport {
  readonly snapshot: string
  readonly createdAt: string
  readonly blobs: number
  readonly blobBytes: number
  /** Their stored bytes are right; whether they open, only the keys can tell. */
  readonly encryptedBlobs: number
  readonly damaged: readonly { readonly digest: string; readonly fault: string }[]
}

/** Throws `BackupFailure` when a file of a snapshot is not what its manifest says. */
export async function checkFile(snapshotPath: string, { path, sizeBytes, sha256 }: BackedUpFile): Promise<void> {
  const file = join(snapshotPath, path)
  if (!existsSync(file)) throw new BackupFailure(`${file} is missing.`)
  const sum = await sumOf(file)
  if (sum.sizeBytes !== sizeBytes || sum.sha256 !== sha256)
    throw new BackupFailure(`${file} is damaged: its bytes are not those that were backed up.`)
}

/** The blobs of a whole snapshot. Throws `BackupFailure` in the end when their number is not the one that was backed up. */
export async function* eachBlob(
  folder: BackupFolder,
  { id, blobCount }: BackupManifest,
): AsyncGenerator<BackedUpBlob, void, void> {
  let count = 0
  for await (const blob of folder.blobs(id)) {
    count++
    yield blob
  }
  if (count !== blobCount) throw new BackupFailure(`The list of blobs of the snapshot ${id} is damaged.`)
}

/** Reads every byte of a snapshot again and compares it with its checksum. Throws `BackupFailure` when the records are damaged. */
export async function checkSnapshot(folder: BackupFolder, id: string): Promise<CheckReport> {
  const manifest = await folder.manifest(id)
  const path = folder.snapshotPath(id)
  for (const file of [manifest.metadata, manifest.blobList, ...manifest.audit, ...manifest.keys])
    await checkFile(path, file)
  const damaged: { digest: string; fault: string }[] = [...manifest.faults]
  for await (const { digest, object, sizeBytes } of eachBlob(folder, manifest)) {
    const file = folder.objectPath(object)
    if (!existsSync(file)) damaged.push({ digest, fault: 'missing' })
    else {
      const sum = await sumOf(file)
      if (sum.sizeBytes !== sizeBytes || `sha256:${sum.sha256}` !== object) damaged.push({ digest, fault: 'corrupt' })
    }
  }
  const { createdAt, blobCount, blobBytes, encryptedBlobCount } = manifest
  return { snapshot: id, createdAt, blobs: blobCount, blobBytes, encryptedBlobs: encryptedBlobCount, damaged }
}
