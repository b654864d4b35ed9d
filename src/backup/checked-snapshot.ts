import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Digest, parseDigest } from '../domain/digest.ts'
import { readBackupArchive } from './archive-reader.ts'
import type { BackupFolder } from './backup-folder.ts'
import {
  type BackedUpBlob,
  type BackedUpFile,
  BackupFailure,
  type BackupManifest,
  type Damage,
} from './backup-format.ts'
import { sumOf, sumOfBytes } from './durable-files.ts'
import { mergedBlobs } from './known-objects.ts'

/** What a look at a snapshot has found. */
export interface CheckReport {
  /** The newest that was looked at; the figures are its. */
  readonly snapshot: string
  readonly snapshots: number
  readonly createdAt: string
  readonly blobs: number
  readonly blobBytes: number
  /** Their stored bytes are right; whether they open, only the keys can tell. */
  readonly encryptedBlobs: number
  readonly includesAdvisories: boolean
  readonly includesKeys: boolean
  readonly damaged: readonly Damage[]
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
  return await checkSnapshots(folder, [id])
}

/**
 * The same for several: what they share is read once. A damaged object is set aside, if the directory can be written to,
 * so that the next backup stores it anew.
 */
export async function checkSnapshots(
  folder: BackupFolder,
  ids: readonly string[],
  onProgress?: (done: number) => void,
): Promise<CheckReport> {
  const damaged = new Map<string, Damage>()
  const advisories = new Map<string, BackedUpFile>()
  let last: BackupManifest | undefined
  for (const id of ids) {
    last = await folder.manifest(id)
    for (const file of [last.metadata, last.blobList, ...last.audit, ...last.keys])
      await checkFile(folder.snapshotPath(id), file)
    for (const fault of last.faults) damaged.set(fault.digest, fault)
    for (const file of last.advisories) advisories.set(file.sha256, file)
  }
  const manifests = await Promise.all(ids.map((id) => folder.manifest(id)))
  let done = 0
  for await (const { digest, object, sizeBytes } of mergedBlobs(manifests.map((one) => eachBlob(folder, one)))) {
    const fault = await faultOf(folder, object, sizeBytes)
    if (fault !== undefined) damaged.set(digest, { digest, fault })
    onProgress?.(++done)
  }
  for (const { sha256, sizeBytes } of advisories.values()) {
    const object = parseDigest(`sha256:${sha256}`)
    const fault = await faultOf(folder, object, sizeBytes)
    if (fault !== undefined) damaged.set(object, { digest: object, fault })
  }
  if (last === undefined) throw new BackupFailure(`There is no whole snapshot in ${folder.path}.`)
  return { ...reportOf(last), snapshots: ids.length, damaged: [...damaged.values()] }
}

/** Reads a backup in one archive to its end. Throws `BackupFailure` when it is cut off, or anything but a blob is damaged. */
export async function checkArchive(
  source: AsyncIterable<Uint8Array>,
  onProgress?: (done: number) => void,
): Promise<CheckReport> {
  let done = 0
  const nothing = async () => undefined
  const { manifest, damaged } = await readBackupArchive(source, {
    begin: nothing,
    takeFile: (_, content) => sumOfBytes(content),
    takeBlob: async (_, __, content) => {
      const { sha256 } = await sumOfBytes(content)
      onProgress?.(++done)
      return { object: parseDigest(`sha256:${sha256}`), keep: nothing, drop: nothing }
    },
  })
  return { ...reportOf(manifest), snapshots: 1, damaged: [...manifest.faults, ...damaged] }
}

function reportOf({ id, createdAt, blobCount, blobBytes, encryptedBlobCount, advisories, keys }: BackupManifest) {
  return {
    snapshot: id,
    createdAt,
    blobs: blobCount,
    blobBytes,
    encryptedBlobs: encryptedBlobCount,
    includesAdvisories: advisories.length > 0,
    includesKeys: keys.length > 0,
  }
}

async function faultOf(folder: BackupFolder, object: Digest, sizeBytes: number): Promise<Damage['fault'] | undefined> {
  const file = folder.objectPath(object)
  if (!existsSync(file)) return folder.absence(object)
  const sum = await sumOf(file)
  if (sum.sizeBytes === sizeBytes && `sha256:${sum.sha256}` === object) return undefined
  await folder.setAside(object)
  return 'corrupt'
}
