import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { readBackupArchive } from '../backup/archive-reader.ts'
import { BackupFolder } from '../backup/backup-folder.ts'
import { type BackedUpBlob, BackupFailure, type BackupManifest, type Damage } from '../backup/backup-format.ts'
import { checkFile, eachBlob } from '../backup/checked-snapshot.ts'
import { Background } from '../lib/background.ts'
import type { Clock } from '../lib/clock.ts'
import { sideBySide } from '../lib/side-by-side.ts'
import { objectOf, Restoration } from './restoration.ts'

export interface RestoreRequest {
  /** A directory of backups, or an archive as it comes. */
  readonly from: string | AsyncIterable<Uint8Array>
  /** Absent: the newest. An archive has one. */
  readonly snapshot?: string | undefined
  /** Restores what is good, also when something is not. */
  readonly isDespiteDamage: boolean
  /** Whether the master key is configured elsewhere than in the data directory. */
  readonly isKeyConfigured: boolean
  /** Hears how many blobs have come, and of how many where that is known. */
  readonly onProgress?: ((done: number, of: number | undefined) => void) | undefined
}

export interface RestoreReport {
  readonly snapshot: string
  readonly createdAt: string
  readonly blobs: number
  readonly blobBytes: number
  /** Those that a restore which was cut off had brought already. */
  readonly blobsAlreadyThere: number
  /** Their stored bytes are right; whether they open, only the keys can tell. */
  readonly encryptedBlobs: number
  readonly includesAdvisories: boolean
  readonly damaged: readonly Damage[]
  /** Whether the registry cannot start before the master key is given. */
  readonly needsMasterKey: boolean
  readonly tookMs: number
}

const AT_ONCE = 8

/**
 * Brings a snapshot into an empty data directory, which nobody else uses. Every byte is compared with its checksum on the
 * way; the records come last, and until then no server starts on the directory. One that was cut off is taken up when the
 * same snapshot is restored to the same place. Throws `BackupFailure`.
 */
export async function restoreBackup(target: string, request: RestoreRequest, clock: Clock): Promise<RestoreReport> {
  const startedAtMs = clock.now().getTime()
  const { from } = request
  const { restoration, manifest, damaged } =
    typeof from === 'string'
      ? await bringFromFolder(target, BackupFolder.open(from), request, clock)
      : await bringFromArchive(target, from, request, clock)
  try {
    if (damaged.length > 0 && !request.isDespiteDamage)
      throw new BackupFailure(
        `${damaged.length} blobs of the snapshot ${manifest.id} are damaged, such as ${damaged[0]?.digest} (${damaged[0]?.fault}): nothing can be served from ${target} yet. Restore another snapshot into an empty directory, or this one with --despite-damage. The next backup of the registry to the same directory replaces what is damaged there.`,
      )
    const needsMasterKey = await restoration.finish(request.isKeyConfigured)
    return {
      snapshot: manifest.id,
      createdAt: manifest.createdAt,
      blobs: manifest.blobCount,
      blobBytes: manifest.blobBytes,
      blobsAlreadyThere: restoration.alreadyThere,
      encryptedBlobs: manifest.encryptedBlobCount,
      includesAdvisories: manifest.advisories.length > 0,
      damaged: [...manifest.faults, ...damaged],
      needsMasterKey,
      tookMs: clock.now().getTime() - startedAtMs,
    }
  } finally {
    await restoration.close()
  }
}

interface Brought {
  readonly restoration: Restoration
  readonly manifest: BackupManifest
  readonly damaged: readonly Damage[]
}

async function bringFromFolder(
  target: string,
  folder: BackupFolder,
  { snapshot, onProgress }: RestoreRequest,
  clock: Clock,
): Promise<Brought> {
  const id = snapshot ?? (await folder.snapshotIds()).at(-1)
  if (id === undefined) throw new BackupFailure(`There is no whole snapshot in ${folder.path}.`)
  const manifest = await folder.manifest(id)
  const source = folder.snapshotPath(id)
  const restoration = await Restoration.begin(target, id, clock)
  try {
    const files = [manifest.metadata, ...manifest.audit, ...manifest.keys]
    for (const file of [manifest.blobList, ...files]) await checkFile(source, file)
    const damaged: Damage[] = []
    let done = 0
    await sideBySide(eachBlob(folder, manifest), AT_ONCE, async (blob) => {
      const isThere = await restoration.has(blob, blob.sizeBytes)
      const fault = isThere ? undefined : await bringBlob(folder, blob, restoration)
      if (fault !== undefined) damaged.push({ digest: blob.digest, fault })
      onProgress?.(++done, manifest.blobCount)
    })
    for (const { path, sha256 } of files)
      if ((await restoration.bringFile(path, Bun.file(join(source, path)).stream())).sha256 !== sha256)
        throw new BackupFailure(`${path} has changed while it was read.`)
    damaged.push(...(await bringAdvisories(folder, manifest, restoration)))
    return { restoration, manifest, damaged }
  } catch (error) {
    await restoration.close()
    throw error
  }
}

/** Answers what is wrong with it. */
async function bringBlob(
  folder: BackupFolder,
  blob: BackedUpBlob,
  restoration: Restoration,
): Promise<Damage['fault'] | undefined> {
  const path = folder.objectPath(blob.object)
  if (!existsSync(path)) return folder.absence(blob.object)
  const staged = await restoration.stage(blob, Bun.file(path).stream())
  if (staged.object === blob.object && staged.isContentRight) {
    await staged.keep()
    return undefined
  }
  await staged.drop()
  await folder.setAside(blob.object)
  return 'corrupt'
}

async function bringAdvisories(
  folder: BackupFolder,
  { advisories }: BackupManifest,
  restoration: Restoration,
): Promise<readonly Damage[]> {
  const damaged: Damage[] = []
  for (const file of advisories) {
    const object = objectOf(file)
    const path = folder.objectPath(object)
    if (!existsSync(path)) damaged.push({ digest: object, fault: folder.absence(object) })
    else if (objectOf(await restoration.bringFile(file.path, Bun.file(path).stream())) !== object) {
      await restoration.dropFile(file.path)
      await folder.setAside(object)
      damaged.push({ digest: object, fault: 'corrupt' })
    }
  }
  return damaged
}

async function bringFromArchive(
  target: string,
  from: AsyncIterable<Uint8Array>,
  { snapshot, onProgress }: RestoreRequest,
  clock: Clock,
): Promise<Brought> {
  let restoration: Restoration | undefined
  const begun = () => {
    if (restoration === undefined) throw new Error('The archive has not begun.')
    return restoration
  }
  let done = 0
  // Making one blob durable is waiting for the disk, while the next can be read.
  const keeping = new Background(AT_ONCE)
  try {
    const { manifest, damaged } = await readBackupArchive(from, {
      begin: async (id) => {
        if (snapshot !== undefined && snapshot !== id)
          throw new BackupFailure(`The archive holds the snapshot ${id}, and not ${snapshot}.`)
        restoration = await Restoration.begin(target, id, clock)
      },
      takeFile: (path, content) => begun().bringFile(path, content),
      takeBlob: async (blob, sizeBytes, content) => {
        onProgress?.(++done, undefined)
        if (await begun().has(blob, sizeBytes)) return await unneeded(content)
        const staged = await begun().stage(blob, content)
        return { ...staged, keep: () => keeping.begin(staged.keep) }
      },
    })
    await keeping.settled()
    return { restoration: begun(), manifest, damaged }
  } catch (error) {
    await keeping.settled().catch(() => undefined)
    await restoration?.close()
    throw error
  }
}

/** A blob that has been brought before: its bytes are compared all the same. */
async function unneeded(content: AsyncIterable<Uint8Array>) {
  const hash = new Bun.CryptoHasher('sha256')
  for await (const chunk of content) hash.update(chunk)
  return {
    object: objectOf({ sizeBytes: 0, sha256: hash.digest('hex') }),
    keep: async () => undefined,
    drop: async () => undefined,
  }
}
