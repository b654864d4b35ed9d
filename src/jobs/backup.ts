import { createReadStream, existsSync } from 'node:fs'
import { open, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { newSnapshotId } from '../backup/backup-folder.ts'
import {
  type BackedUpBlob,
  type BackedUpFile,
  BackupFailure,
  type BackupManifest,
  type Damage,
  FORMAT_VERSION,
  MASTER_KEY_COPY,
} from '../backup/backup-format.ts'
import type { BackupTarget, SourceFile } from '../backup/backup-target.ts'
import { isRegistryError } from '../domain/errors.ts'
import { type BlobAddress, PLAIN } from '../domain/vault.ts'
import type { Clock } from '../lib/clock.ts'
import type { Gate } from '../lib/gate.ts'
import { sideBySide } from '../lib/side-by-side.ts'
import type { BlobDriver } from '../stores/blobs.ts'
import type { MetadataStore, StoredBlob } from '../stores/metadata.ts'

export interface BackupRequest {
  /** Also what opens the secrets and the encrypted content: the installation's own master key, the own authority's keys. */
  readonly includesKeys: boolean
  /** Also what scans compare images with. */
  readonly includesAdvisories: boolean
}

export interface BackupReport {
  readonly snapshot: string
  readonly blobs: number
  readonly blobBytes: number
  /** What had not been there already. */
  readonly copiedBlobs: number
  readonly copiedBytes: number
  readonly encryptedBlobs: number
  /** Whether it holds the master key of the installation; otherwise that has to be kept elsewhere. */
  readonly includesMasterKey: boolean
  readonly includesAdvisories: boolean
  readonly removedSnapshots: number
  readonly faults: readonly Damage[]
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
  readonly advisoryFiles: readonly { readonly path: string; readonly as: string }[]
  readonly keyFiles: readonly { readonly path: string; readonly as: string }[]
}

const STEP = 200

/**
 * Copies everything that an installation is, while it is in use: first the records as of one moment, then every blob that
 * they name. One that was cut off is taken up by the next, as far as its target remembers.
 */
export class Backup {
  readonly #sources: BackupSources
  #isRunning = false

  constructor(sources: BackupSources) {
    this.#sources = sources
  }

  /** Throws `BackupFailure` when the target cannot be used, or another backup is under way. */
  async run(
    openTarget: () => Promise<BackupTarget>,
    request: BackupRequest,
    signal: AbortSignal,
  ): Promise<BackupReport> {
    if (this.#isRunning) throw new BackupFailure('Another backup of this registry is under way.')
    this.#isRunning = true
    try {
      const target = await openTarget()
      try {
        return await new Run(this.#sources, target, request, signal).run()
      } finally {
        await target.abandon()
      }
    } finally {
      this.#isRunning = false
    }
  }
}

class Run {
  readonly #sources: BackupSources
  readonly #target: BackupTarget
  readonly #request: BackupRequest
  readonly #signal: AbortSignal
  readonly #faults: Damage[] = []
  #blobs = 0
  #blobBytes = 0
  #copiedBlobs = 0
  #copiedBytes = 0
  #encryptedBlobs = 0

  constructor(sources: BackupSources, target: BackupTarget, request: BackupRequest, signal: AbortSignal) {
    this.#sources = sources
    this.#target = target
    this.#request = request
    this.#signal = signal
  }

  async run(): Promise<BackupReport> {
    const target = this.#target
    const { metadata: records, clock, deletion } = this.#sources
    const startedAt = clock.now()
    const id = newSnapshotId(startedAt)
    await target.begin(id, startedAt)
    const parts = await deletion.hold(async () => {
      const metadata = await target.putMetadata((path) => records.copyTo(path))
      return { metadata, blobList: await this.#copyBlobs() }
    })
    // After the records, which say how far the log is safe.
    const audit = await this.#copyAudit()
    const { includesKeys, includesAdvisories } = this.#request
    const { advisoryFiles, keyFiles } = this.#sources
    const advisories = includesAdvisories ? await this.#copyFiles(advisoryFiles) : []
    const keys = includesKeys ? await this.#copyFiles(keyFiles) : []
    const manifest: BackupManifest = {
      version: FORMAT_VERSION,
      id,
      createdAt: startedAt.toISOString(),
      ecru: this.#sources.version,
      ...parts,
      blobCount: this.#blobs,
      blobBytes: this.#blobBytes,
      encryptedBlobCount: this.#encryptedBlobs,
      audit,
      advisories,
      keys,
      faults: this.#faults,
    }
    const removedSnapshots = await target.finish(manifest)
    return {
      snapshot: id,
      blobs: this.#blobs,
      blobBytes: this.#blobBytes,
      copiedBlobs: this.#copiedBlobs,
      copiedBytes: this.#copiedBytes,
      encryptedBlobs: this.#encryptedBlobs,
      includesMasterKey: keys.some(({ path }) => path === MASTER_KEY_COPY),
      includesAdvisories: advisories.length > 0,
      removedSnapshots,
      faults: this.#faults,
      tookMs: clock.now().getTime() - startedAt.getTime(),
    }
  }

  /** All that are on record now: none was forgotten since the records were copied, so those are among them. */
  async #copyBlobs(): Promise<BackedUpFile> {
    for await (const page of this.#pages()) {
      const copied: BackedUpBlob[] = []
      await this.#target.expect(page)
      await sideBySide(page, this.#target.parallel, async (blob) => {
        const one = await this.#copyBlob(blob)
        if (one === undefined) return
        copied.push(one)
        this.#blobs++
        this.#blobBytes += one.sizeBytes
        if (one.vault !== PLAIN) this.#encryptedBlobs++
      })
      await this.#target.list(copied)
    }
    return await this.#target.endList()
  }

  async *#pages(): AsyncGenerator<readonly Recorded[], void, void> {
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
  async #copyBlob({ vault, digest, linkCount }: Recorded): Promise<BackedUpBlob | undefined> {
    const { stored } = this.#sources
    const info = await stored.find({ vault, digest })
    if (info === undefined) return this.#fault(digest, 'missing', linkCount)
    const blob = { vault, digest, sizeBytes: info.sizeBytes, storedAtMs: info.storedAt.getTime() }
    try {
      const outcome = await this.#target.putBlob(blob, async () => {
        const body = await stored.read({ vault, digest })
        return asFarAsReadable(body instanceof Blob ? body.stream() : body)
      })
      if (outcome.kind === 'corrupt') return this.#fault(digest, 'corrupt', linkCount)
      if (outcome.kind === 'copied') {
        this.#copiedBlobs++
        this.#copiedBytes += outcome.blob.sizeBytes
      }
      return outcome.blob
    } catch (error) {
      if (isRegistryError(error, 'blob-not-found')) return this.#fault(digest, 'missing', linkCount)
      throw error
    }
  }

  #fault(digest: string, fault: Damage['fault'], linkCount: number): undefined {
    if (linkCount > 0) this.#faults.push({ digest, fault })
    return undefined
  }

  async #copyAudit(): Promise<readonly BackedUpFile[]> {
    const { auditDirectory } = this.#sources
    if (auditDirectory === undefined || !existsSync(auditDirectory)) return []
    const copied: BackedUpFile[] = []
    for (const name of (await readdir(auditDirectory)).filter((one) => /^[\w-][\w.-]*$/.test(one)).sort()) {
      // Retention may have removed it; what is being written to has a last line that may not be whole.
      const source = join(auditDirectory, name)
      if (!existsSync(source)) continue
      copied.push(await this.#target.putFile(`audit/${name}`, await wholeLines(source)))
    }
    return copied
  }

  async #copyFiles(files: BackupSources['keyFiles']): Promise<readonly BackedUpFile[]> {
    const copied: BackedUpFile[] = []
    for (const { path, as } of files) {
      const file = await open(path).catch(unlessAbsent)
      if (file === undefined) continue
      try {
        const { size: sizeBytes, mtimeMs: modifiedAtMs } = await file.stat()
        // What was opened stays what it is, also when another takes its name meanwhile.
        const read = () => file.createReadStream({ autoClose: false, highWaterMark: 256 * 1024 })
        copied.push(await this.#target.putFile(as, { sizeBytes, modifiedAtMs, read }))
      } finally {
        await file.close()
      }
    }
    return copied
  }
}

type Recorded = StoredBlob & { readonly linkCount: number }

/** What the disk does not give back is missing from the bytes, and so found to be: one bad block keeps no other blob out of a backup. */
async function* asFarAsReadable(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield* body
  } catch (error) {
    if (!['EIO', 'ENOENT'].includes(String((error as NodeJS.ErrnoException).code))) throw error
  }
}

function unlessAbsent(error: unknown): undefined {
  if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
}

/** A file up to the end of its last line. */
async function wholeLines(path: string): Promise<SourceFile> {
  const { size, mtimeMs: modifiedAtMs } = await stat(path)
  let sizeBytes = 0
  let at = 0
  if (size > 0)
    for await (const chunk of createReadStream(path, { end: size - 1 }) as AsyncIterable<Uint8Array>) {
      const end = chunk.lastIndexOf(0x0a) + 1
      if (end > 0) sizeBytes = at + end
      at += chunk.byteLength
    }
  return {
    sizeBytes,
    modifiedAtMs,
    read: () => (sizeBytes === 0 ? nothing() : createReadStream(path, { end: sizeBytes - 1 })),
  }
}

async function* nothing(): AsyncGenerator<Uint8Array, void, void> {}
