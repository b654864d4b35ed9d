import { existsSync } from 'node:fs'
import { readdir, readFile, rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupFolder } from '../backup/backup-folder.ts'
import { type BackedUpBlob, BackupFailure, type BackupManifest, METADATA_COPY } from '../backup/backup-format.ts'
import { checkFile, eachBlob } from '../backup/checked-snapshot.ts'
import { makeDurably, replaceDurably, syncDirectory, writeDurably } from '../backup/durable-files.ts'
import { digestAlgorithm } from '../domain/digest.ts'
import { RESTORE_MARK } from '../domain/restore-mark.ts'
import { PLAIN } from '../domain/vault.ts'
import type { Clock } from '../lib/clock.ts'
import { RunningHash } from '../lib/hash-stream.ts'
import { OWN_MASTER_KEY_FILE } from '../lib/master-key-source.ts'
import { sideBySide } from '../lib/side-by-side.ts'
import { FilesystemBlobStore } from '../stores/blobs/filesystem.ts'
import { faultsOfMetadataFile } from '../stores/metadata/copy.ts'
import { hasSealedSecrets } from '../stores/metadata/sqlite.ts'
import { AUDIT_DIRECTORY } from './audit-log.ts'
import { METADATA_FILE } from './foundation.ts'

export interface RestoreRequest {
  readonly from: string
  /** Absent: the newest. */
  readonly snapshot?: string | undefined
  /** Restores what is good, also when something is not. */
  readonly isDespiteDamage: boolean
  /** Whether the master key is configured elsewhere than in the data directory. */
  readonly isKeyConfigured: boolean
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
  readonly damaged: readonly { readonly digest: string; readonly fault: string }[]
  /** Whether the registry cannot start before the master key is given. */
  readonly needsMasterKey: boolean
  readonly tookMs: number
}

const AT_ONCE = 4
/** What may be in a directory that counts as empty. */
const OF_NO_WEIGHT = ['ecru.lock', 'ecru.json', 'lost+found']

/**
 * Brings a snapshot into an empty data directory, which nobody else uses. Every byte is compared with its checksum on the
 * way; the records come last, and until then no server starts on the directory. One that was cut off is taken up when the
 * same snapshot is restored to the same place. Throws `BackupFailure`.
 */
export async function restoreBackup(target: string, request: RestoreRequest, clock: Clock): Promise<RestoreReport> {
  const startedAtMs = clock.now().getTime()
  const folder = BackupFolder.open(request.from)
  const id = request.snapshot ?? (await folder.snapshotIds()).at(-1)
  if (id === undefined) throw new BackupFailure(`There is no whole snapshot in ${request.from}.`)
  const manifest = await folder.manifest(id)
  const source = folder.snapshotPath(id)
  await begin(target, id)
  for (const file of [manifest.metadata, manifest.blobList, ...manifest.audit, ...manifest.keys])
    await checkFile(source, file)
  const { damaged, alreadyThere } = await bringBlobs(folder, manifest, target, clock)
  if (damaged.length > 0 && !request.isDespiteDamage)
    throw new BackupFailure(
      `${damaged.length} blobs of the snapshot ${id} are damaged, such as ${damaged[0]?.digest} (${damaged[0]?.fault}): nothing can be served from ${target} yet. Restore another snapshot into an empty directory, or this one with --despite-damage.`,
    )
  await bringFiles(source, manifest, target)
  await bringMetadata(join(source, METADATA_COPY), target)
  const isKeyThere = request.isKeyConfigured || existsSync(join(target, OWN_MASTER_KEY_FILE))
  const needsMasterKey = !isKeyThere && (await hasSealedSecrets(join(target, METADATA_FILE)))
  await rm(join(target, RESTORE_MARK))
  await syncDirectory(target)
  return {
    snapshot: id,
    createdAt: manifest.createdAt,
    blobs: manifest.blobCount,
    blobBytes: manifest.blobBytes,
    blobsAlreadyThere: alreadyThere,
    encryptedBlobs: manifest.encryptedBlobCount,
    damaged: [...manifest.faults, ...damaged],
    needsMasterKey,
    tookMs: clock.now().getTime() - startedAtMs,
  }
}

/** Marks an empty directory, or takes up what was begun with the same snapshot. */
async function begin(target: string, id: string): Promise<void> {
  const mark = join(target, RESTORE_MARK)
  if (existsSync(mark)) {
    const { snapshot } = JSON.parse(await readFile(mark, 'utf8')) as { readonly snapshot?: unknown }
    if (snapshot === id) return
    throw new BackupFailure(
      `The restore of the snapshot ${String(snapshot)} into ${target} has not ended: end it with --snapshot ${String(snapshot)}, or empty the directory.`,
    )
  }
  const names = (await readdir(target)).filter(
    (name) => !OF_NO_WEIGHT.includes(name) && !name.startsWith(`${RESTORE_MARK}.`),
  )
  if (names.length > 0)
    throw new BackupFailure(`${target} is not empty (there is ${names[0]}): restore into an empty directory.`)
  await replaceDurably(mark, `${JSON.stringify({ snapshot: id })}\n`)
}

async function bringBlobs(folder: BackupFolder, manifest: BackupManifest, target: string, clock: Clock) {
  const store = await FilesystemBlobStore.open(target, { clock })
  const damaged: { digest: string; fault: string }[] = []
  let alreadyThere = 0
  try {
    // What a restore that was cut off had staged.
    for await (const { key } of store.listUploads()) await store.abort(key)
    await sideBySide(eachBlob(folder, manifest), AT_ONCE, async (blob) => {
      if ((await store.find(blob))?.sizeBytes === blob.sizeBytes) {
        alreadyThere++
        return
      }
      const fault = await bringBlob(folder, blob, store)
      if (fault !== undefined) damaged.push({ digest: blob.digest, fault })
    })
  } finally {
    await store.close()
  }
  return { damaged, alreadyThere }
}

/** Answers what is wrong with it. */
async function bringBlob(
  folder: BackupFolder,
  blob: BackedUpBlob,
  store: FilesystemBlobStore,
): Promise<'missing' | 'corrupt' | undefined> {
  const { vault, digest, object, sizeBytes } = blob
  if (!existsSync(folder.objectPath(object))) return 'missing'
  const stored = new RunningHash('sha256')
  const content = new RunningHash(digestAlgorithm(digest))
  const key = await store.startUpload(vault)
  try {
    const bytes = Bun.file(folder.objectPath(object)).stream()
    const body = vault === PLAIN && object !== digest ? content.through(bytes) : bytes
    await store.append(key, 0, stored.through(body))
    const isContentRight = vault !== PLAIN || object === digest || content.digest() === digest
    if (stored.sizeBytes !== sizeBytes || stored.digest() !== object || !isContentRight) return 'corrupt'
    await store.commit(key, digest)
    return undefined
  } finally {
    await store.abort(key)
  }
}

async function bringFiles(source: string, { audit, keys }: BackupManifest, target: string): Promise<void> {
  for (const { path, sha256 } of [...audit, ...keys]) {
    const names = path
      .replace(/^keys\//, '')
      .replace(/^audit\//, `${AUDIT_DIRECTORY}/`)
      .split('/')
    const directory = await makeDurably(target, ...names.slice(0, -1))
    const written = await writeDurably(join(directory, names.at(-1) ?? ''), Bun.file(join(source, path)).stream())
    if (written.sha256 !== sha256) throw new BackupFailure(`${path} has changed while it was read.`)
    await syncDirectory(directory)
  }
}

async function bringMetadata(copy: string, target: string): Promise<void> {
  const beside = join(target, `${METADATA_FILE}.restored`)
  for (const end of ['', '-wal', '-shm', '-journal']) await rm(`${beside}${end}`, { force: true })
  await writeDurably(beside, Bun.file(copy).stream())
  const faults = faultsOfMetadataFile(beside)
  if (faults.length > 0) throw new BackupFailure(`The records of the snapshot are damaged: ${faults.join('; ')}.`)
  await rename(beside, join(target, METADATA_FILE))
  await syncDirectory(target)
}
