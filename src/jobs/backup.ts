import { createReadStream, existsSync } from 'node:fs'
import { mkdir, open, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { BackupFolder, nameOf, newSnapshotId } from '../backup/backup-folder.ts'
import {
  type BackedUpBlob,
  type BackedUpFile,
  BackupFailure,
  type BackupFault,
  type BackupManifest,
  BLOB_LIST,
  FORMAT_VERSION,
  MANIFEST_FILE,
  METADATA_COPY,
  printBlob,
} from '../backup/backup-format.ts'
import { makeDurably, replaceDurably, sumOf, syncDirectory, writeAll, writeDurably } from '../backup/durable-files.ts'
import { parseDigest } from '../domain/digest.ts'
import { isRegistryError } from '../domain/errors.ts'
import { type BlobAddress, PLAIN } from '../domain/vault.ts'
import type { Clock } from '../lib/clock.ts'
import type { Gate } from '../lib/gate.ts'
import { sideBySide } from '../lib/side-by-side.ts'
import type { BlobDriver } from '../stores/blobs.ts'
import type { MetadataStore, StoredBlob } from '../stores/metadata.ts'

export interface BackupRequest {
  /** A directory, seen from this process. */
  readonly to: string
  /** Also what opens the secrets and the encrypted content: the installation's own master key, the own authority's keys. */
  readonly includesKeys: boolean
  /** So many snapshots are kept there; absent: all. */
  readonly keep?: number | undefined
}

export interface BackupReport {
  readonly snapshot: string
  readonly to: string
  readonly blobs: number
  readonly blobBytes: number
  /** What had not been there already. */
  readonly copiedBlobs: number
  readonly copiedBytes: number
  readonly encryptedBlobs: number
  readonly includesKeys: boolean
  readonly removedSnapshots: number
  readonly faults: readonly BackupFault[]
  readonly tookMs: number
}

/** What a backup is made of. */
export interface BackupSources {
  readonly metadata: MetadataStore
  /** As it lies in the store, encrypted or not. */
  readonly stored: BlobDriver
  /** Held while blobs are copied, so that none goes. */
  readonly deletion: Gate
  readonly clock: Clock
  readonly version: string
  /** Files beside metadata and blobs, by absolute path; absent ones are left out. */
  readonly auditDirectory: string | undefined
  readonly keyFiles: readonly { readonly path: string; readonly as: string }[]
}

const STEP = 200
/** Files under way: enough for a disk that has to be waited for, few beside traffic. */
const AT_ONCE = 4

/**
 * Copies everything that an installation is, while it is in use: first the records as of one moment, then every blob that
 * they name. Nothing that is there from an earlier backup is copied again; one that was cut off is taken up by the next.
 */
export class Backup {
  readonly #sources: BackupSources
  #isRunning = false

  constructor(sources: BackupSources) {
    this.#sources = sources
  }

  /** Throws `BackupFailure` when the target cannot be used, or another backup is under way. */
  async run(request: BackupRequest, signal: AbortSignal): Promise<BackupReport> {
    if (this.#isRunning) throw new BackupFailure('Another backup of this registry is under way.')
    this.#isRunning = true
    try {
      const folder = await BackupFolder.prepare(request.to)
      return await new Run(this.#sources, folder, request, signal).run()
    } finally {
      this.#isRunning = false
    }
  }
}

class Run {
  readonly #sources: BackupSources
  readonly #folder: BackupFolder
  readonly #request: BackupRequest
  readonly #signal: AbortSignal
  readonly #faults: BackupFault[] = []
  #known: ReadonlyMap<string, BackedUpBlob> = new Map()
  #blobs = 0
  #blobBytes = 0
  #copiedBlobs = 0
  #copiedBytes = 0
  #encryptedBlobs = 0

  constructor(sources: BackupSources, folder: BackupFolder, request: BackupRequest, signal: AbortSignal) {
    this.#sources = sources
    this.#folder = folder
    this.#request = request
    this.#signal = signal
  }

  async run(): Promise<BackupReport> {
    const startedAt = this.#sources.clock.now()
    const id = newSnapshotId(startedAt)
    const path = this.#folder.snapshotPath(id)
    this.#known = await this.#folder.knownObjects()
    await mkdir(path, { mode: 0o700 })
    const parts = await this.#sources.deletion.hold(async () => {
      await this.#sources.metadata.copyTo(join(path, METADATA_COPY))
      return { blobList: await this.#copyBlobs(path) }
    })
    const metadata = await this.#sealed(path, METADATA_COPY)
    // After the records, which say how far the log is safe.
    const audit = await this.#copyAudit(path)
    const keys = this.#request.includesKeys ? await this.#copyKeys(path) : []
    const manifest: BackupManifest = {
      version: FORMAT_VERSION,
      id,
      createdAt: startedAt.toISOString(),
      ecru: this.#sources.version,
      metadata,
      ...parts,
      blobCount: this.#blobs,
      blobBytes: this.#blobBytes,
      encryptedBlobCount: this.#encryptedBlobs,
      audit,
      keys,
      faults: this.#faults,
    }
    await syncDirectory(path)
    await syncDirectory(join(path, '..'))
    await replaceDurably(join(path, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`)
    await this.#folder.removeUnfinished()
    const { keep, to, includesKeys } = this.#request
    const removedSnapshots = keep === undefined ? 0 : await this.#folder.keepNewest(keep)
    return {
      snapshot: id,
      to,
      blobs: this.#blobs,
      blobBytes: this.#blobBytes,
      copiedBlobs: this.#copiedBlobs,
      copiedBytes: this.#copiedBytes,
      encryptedBlobs: this.#encryptedBlobs,
      includesKeys,
      removedSnapshots,
      faults: this.#faults,
      tookMs: this.#sources.clock.now().getTime() - startedAt.getTime(),
    }
  }

  /** All that are on record now: none was forgotten since the records were copied, so those are among them. */
  async #copyBlobs(path: string): Promise<BackedUpFile> {
    const hash = new Bun.CryptoHasher('sha256')
    let sizeBytes = 0
    const list = await open(join(path, BLOB_LIST), 'w', 0o600)
    try {
      for await (const page of this.#pages()) {
        const lines: string[] = []
        await sideBySide(page, AT_ONCE, async (blob) => {
          const copied = await this.#copyBlob(blob)
          if (copied === undefined) return
          lines.push(printBlob(copied))
          this.#blobs++
          this.#blobBytes += copied.sizeBytes
          if (copied.vault !== PLAIN) this.#encryptedBlobs++
        })
        const bytes = new TextEncoder().encode(lines.join(''))
        hash.update(bytes)
        sizeBytes += bytes.byteLength
        await writeAll(list, bytes)
      }
      await list.sync()
    } finally {
      await list.close()
    }
    return { path: BLOB_LIST, sizeBytes, sha256: hash.digest('hex') }
  }

  async *#pages(): AsyncGenerator<readonly (StoredBlob & { readonly linkCount: number })[], void, void> {
    let after: BlobAddress | undefined
    for (;;) {
      this.#signal.throwIfAborted()
      const page = await this.#sources.metadata.view.blobs.list({ after, limit: STEP })
      const last = page.at(-1)
      if (last === undefined) return
      yield page
      after = { digest: last.digest, vault: last.vault }
    }
  }

  /** `undefined`: it is not in the store, which is a fault when somebody needs it. */
  async #copyBlob({
    vault,
    digest,
    linkCount,
  }: StoredBlob & { readonly linkCount: number }): Promise<BackedUpBlob | undefined> {
    const { stored } = this.#sources
    const info = await stored.find({ vault, digest })
    if (info === undefined) return this.#fault(digest, 'missing', linkCount)
    const { sizeBytes } = info
    const blob = { vault, digest, sizeBytes, storedAtMs: info.storedAt.getTime() }
    const isNamedByContent = vault === PLAIN && digest.startsWith('sha256:')
    const there = isNamedByContent ? { ...blob, object: digest } : this.#known.get(nameOf(blob))
    if (
      there !== undefined &&
      there.sizeBytes === sizeBytes &&
      (isNamedByContent || there.storedAtMs === blob.storedAtMs) &&
      this.#folder.hasObject(there.object, sizeBytes)
    )
      return { ...blob, object: there.object }
    try {
      const body = await stored.read({ vault, digest })
      const bytes = body instanceof Blob ? body.stream() : body
      const isGood = ({ sha256 }: { readonly sha256: string }) => !isNamedByContent || `sha256:${sha256}` === digest
      const written = await this.#folder.putObject(bytes, isGood, this.#signal)
      if (!isGood(written)) return this.#fault(digest, 'corrupt', linkCount)
      this.#copiedBlobs++
      this.#copiedBytes += written.sizeBytes
      return { ...blob, sizeBytes: written.sizeBytes, object: parseDigest(`sha256:${written.sha256}`) }
    } catch (error) {
      if (isRegistryError(error, 'blob-not-found')) return this.#fault(digest, 'missing', linkCount)
      throw error
    }
  }

  #fault(digest: string, fault: BackupFault['fault'], linkCount: number): undefined {
    if (linkCount > 0) this.#faults.push({ digest, fault })
    return undefined
  }

  async #copyAudit(path: string): Promise<readonly BackedUpFile[]> {
    const { auditDirectory } = this.#sources
    if (auditDirectory === undefined || !existsSync(auditDirectory)) return []
    const copied: BackedUpFile[] = []
    const target = await makeDurably(path, 'audit')
    for (const name of (await readdir(auditDirectory)).filter((one) => /^[\w-][\w.-]*$/.test(one)).sort()) {
      // Retention may have removed it; what is being written to has a last line that may not be whole.
      const source = join(auditDirectory, name)
      if (!existsSync(source)) continue
      const written = await writeDurably(join(target, name), wholeLines(source), this.#signal)
      copied.push({ path: `audit/${name}`, ...written })
    }
    await syncDirectory(target)
    return copied
  }

  async #copyKeys(path: string): Promise<readonly BackedUpFile[]> {
    const copied: BackedUpFile[] = []
    for (const { path: source, as } of this.#sources.keyFiles) {
      if (!existsSync(source)) continue
      const names = as.split('/')
      await makeDurably(path, ...names.slice(0, -1))
      const written = await replaceDurably(join(path, as), await readFile(source, 'utf8'))
      copied.push({ path: as, ...written })
    }
    return copied
  }

  /** A file that is there, with what it is to be on the disk. */
  async #sealed(path: string, name: string): Promise<BackedUpFile> {
    const file = await open(join(path, name), 'r+')
    try {
      await file.chmod(0o600)
      await file.sync()
    } finally {
      await file.close()
    }
    return { path: name, ...(await sumOf(join(path, name))) }
  }
}

/** A file up to the end of its last line. */
async function* wholeLines(path: string): AsyncGenerator<Uint8Array, void, void> {
  let rest: Uint8Array = new Uint8Array(0)
  for await (const chunk of createReadStream(path) as AsyncIterable<Uint8Array>) {
    const bytes = rest.byteLength === 0 ? chunk : Buffer.concat([rest, chunk])
    const end = bytes.lastIndexOf(0x0a) + 1
    if (end > 0) yield bytes.subarray(0, end)
    rest = bytes.subarray(end)
  }
}
