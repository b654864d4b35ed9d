import { type Digest, digestAlgorithm } from '../../domain/digest.ts'
import {
  layerDigestMismatch,
  layerPartTooSmall,
  limitExceeded,
  uploadBusy,
  uploadEmpty,
  uploadLengthInvalid,
  uploadNotFound,
  uploadRangeInvalid,
} from '../../domain/errors.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { Quotas } from '../../domain/quotas.ts'
import { type Upload, vaultOfUpload } from '../../domain/upload.ts'
import { PLAIN } from '../../domain/vault.ts'
import type { Clock } from '../../lib/clock.ts'
import { RunningHash } from '../../lib/hash-stream.ts'
import type { Ids } from '../../lib/ids.ts'
import { KeyedTurns, type Turn } from '../../lib/keyed-turns.ts'
import type { BlobStore, UploadKey } from '../../stores/blobs.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Access } from '../access/access.ts'
import type { Vaults } from '../encryption/vaults.ts'
import { getRepository } from '../repositories/repositories.ts'
import { claimBlob } from './blob-claims.ts'

/** How long a second writer of one upload waits for the first. */
const PATIENCE_MS = 10_000

/** How many unfinished uploads have their hash at hand. */
const HASHES_MAX = 1024

/** Where a part goes, as far as the client said it. */
export interface PartPlace {
  /** The offset of its first byte; absent: wherever the upload ends. */
  readonly firstByte?: number | undefined
  /** How many bytes it must hold. */
  readonly lengthBytes?: number | undefined
  /** How many bytes it does hold, where that is known before they are read. */
  readonly bodyBytes?: number | undefined
  /** The least size that every earlier part must have had. */
  readonly earlierPartBytesMin: number
}

export interface CompletedUpload {
  readonly digest: Digest
  readonly sizeBytes: number
  /** False: the repository held this layer before. */
  readonly isNew: boolean
}

interface OpenUpload {
  readonly upload: Upload
  readonly key: UploadKey
  readonly sizeBytes: number
  /** Those of its registry. */
  readonly quotas: Quotas
}

/** What uploads go through. */
export interface UploadParts {
  readonly metadata: MetadataStore
  readonly blobs: BlobStore
  readonly vaults: Vaults
  readonly access: Access
  readonly clock: Clock
  readonly ids: Ids
}

export interface UploadRules {
  readonly quotas: Quotas
  /** Of public repositories; the same when absent. */
  readonly publicQuotas?: Quotas
}

/** Layers on their way in: begun, appended to in parts, completed or cancelled. Bytes first, record second. */
export class Uploads {
  readonly #metadata: MetadataStore
  readonly #blobs: BlobStore
  readonly #vaults: Vaults
  readonly #access: Access
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #quotas: Quotas
  readonly #publicQuotas: Quotas
  readonly #turns = new KeyedTurns()
  /** The hash of what is staged, for uploads this process has written to; others are read again. */
  readonly #hashes = new Map<string, RunningHash>()

  constructor(parts: UploadParts, { quotas, publicQuotas = quotas }: UploadRules) {
    this.#metadata = parts.metadata
    this.#blobs = parts.blobs
    this.#vaults = parts.vaults
    this.#access = parts.access
    this.#clock = parts.clock
    this.#ids = parts.ids
    this.#quotas = quotas
    this.#publicQuotas = publicQuotas
  }

  /** Answers the new upload's id. Throws `repository-not-found`, `access-denied`, `kms-key-unusable` (as whatever needs the staged bytes later). */
  async start(principal: Principal, ref: RepositoryRef): Promise<string> {
    await this.#access.authorize(principal, 'ecr:InitiateLayerUpload', ref)
    const repository = await getRepository(this.#metadata.view, ref)
    const { id: repositoryId } = repository
    await this.#vaults.admit(repository, 'GenerateDataKey')
    const key = await this.#blobs.startUpload(this.#vaults.vaultOf(repository))
    const id = this.#ids.uuid()
    const startedAt = this.#clock.now()
    await this.#metadata.transact(
      async (tx) => {
        await getRepository(tx, ref)
        await tx.uploads.insert({ id, repositoryId, key, startedAt, touchedAt: startedAt })
      },
      { durability: 'relaxed' },
    )
    this.#remember(id, new RunningHash('sha256'))
    return id
  }

  /** How many bytes the upload holds. Throws `upload-not-found`. */
  async status(principal: Principal, ref: RepositoryRef, uploadId: string): Promise<number> {
    await this.#access.authorize(principal, 'ecr:UploadLayerPart', ref)
    return (await this.#open(ref, uploadId)).sizeBytes
  }

  /**
   * Appends a part and answers the upload's new size. What was received of a part that breaks off stays, for a client that
   * resumes, unless its length was promised. Throws `upload-not-found`, `upload-range-invalid`, `upload-busy`,
   * `layer-part-too-small`, `limit-exceeded`.
   */
  async append(
    principal: Principal,
    ref: RepositoryRef,
    uploadId: string,
    place: PartPlace,
    body: AsyncIterable<Uint8Array>,
  ): Promise<number> {
    await this.#access.authorize(principal, 'ecr:UploadLayerPart', ref)
    return this.#inTurn(uploadId, async (turn) => {
      const open = await this.#open(ref, uploadId)
      return (await this.#append(open, place, body, turn)).sizeBytes
    })
  }

  /**
   * Appends the last part, if there is one, verifies the digest and makes the blob the repository's. Once it has answered
   * the layer is durable. Throws as `append`, and `layer-digest-mismatch` (the upload stays) and `upload-empty` (only if
   * `mustHoldParts`).
   */
  async complete(
    principal: Principal,
    ref: RepositoryRef,
    uploadId: string,
    digest: Digest,
    last: { readonly place: PartPlace; readonly body: AsyncIterable<Uint8Array> } | undefined,
    mustHoldParts = false,
  ): Promise<CompletedUpload> {
    await this.#access.authorize(principal, 'ecr:CompleteLayerUpload', ref)
    // A part is one, whatever it comes with.
    if (last !== undefined) await this.#access.authorize(principal, 'ecr:UploadLayerPart', ref)
    return this.#inTurn(uploadId, async (turn) => {
      let open = await this.#open(ref, uploadId)
      await this.#vaults.check(vaultOfUpload(open.key) ?? PLAIN)
      if (last !== undefined) open = await this.#append(open, last.place, last.body, turn)
      if (mustHoldParts && open.sizeBytes === 0) throw uploadEmpty(uploadId, ref)
      const calculated = await this.#digestOf(open, digest)
      if (calculated !== digest) throw layerDigestMismatch(digest, calculated)
      return this.#commit(ref, open, digest)
    })
  }

  /** Throws `upload-not-found`. */
  async cancel(principal: Principal, ref: RepositoryRef, uploadId: string): Promise<void> {
    await this.#access.authorize(principal, 'ecr:UploadLayerPart', ref)
    await this.#inTurn(uploadId, async () => {
      const { upload, key } = await this.#open(ref, uploadId)
      await this.#metadata.transact((tx) => tx.uploads.delete(upload.id), { durability: 'relaxed' })
      await this.#blobs.abort(key)
      this.#hashes.delete(uploadId)
    })
  }

  /** Drops uploads that nobody has touched since `before` and nobody is writing to; answers how many. */
  async expire(before: Date, limit: number): Promise<number> {
    const stale = await this.#metadata.view.uploads.listStale(before, limit)
    const idle = stale.filter(({ id }) => !this.#turns.isTaken(id))
    for (const { id, key } of idle) {
      await this.#metadata.transact((tx) => tx.uploads.delete(id), { durability: 'relaxed' })
      await this.#blobs.abort(key as UploadKey)
      this.#hashes.delete(id)
    }
    return idle.length
  }

  async #inTurn<T>(uploadId: string, work: (turn: Turn) => Promise<T>): Promise<T> {
    const taken = await this.#turns.take(uploadId, PATIENCE_MS, async (turn) => ({ value: await work(turn) }))
    if (taken === undefined) throw uploadBusy(uploadId)
    return taken.value
  }

  async #open(ref: RepositoryRef, uploadId: string): Promise<OpenUpload> {
    const { id: repositoryId } = await getRepository(this.#metadata.view, ref)
    const upload = await this.#metadata.view.uploads.find(repositoryId, uploadId)
    if (upload === undefined) throw uploadNotFound(uploadId, ref)
    const key = upload.key as UploadKey
    const sizeBytes = await this.#blobs.uploadSize(key)
    if (sizeBytes === undefined) throw uploadNotFound(uploadId, ref)
    return { upload, key, sizeBytes, quotas: isPublic(ref.registry) ? this.#publicQuotas : this.#quotas }
  }

  async #append(open: OpenUpload, place: PartPlace, body: AsyncIterable<Uint8Array>, turn: Turn): Promise<OpenUpload> {
    const { upload, key, sizeBytes, quotas } = open
    if (place.firstByte !== undefined && place.firstByte !== sizeBytes)
      throw uploadRangeInvalid(place.firstByte, sizeBytes)
    const { lengthBytes, bodyBytes } = place
    if (lengthBytes !== undefined && bodyBytes !== undefined && bodyBytes !== lengthBytes)
      throw uploadLengthInvalid(lengthBytes, bodyBytes, sizeBytes)
    if (upload.lastPartBytes !== undefined && upload.lastPartBytes < place.earlierPartBytesMin)
      throw layerPartTooSmall()
    const { partCount = 0 } = upload
    if (partCount >= quotas.layerParts) throw limitExceeded(quotas.layerParts, 'parts per layer')
    const hash = await this.#hashOf(open)
    // A part that fails leaves bytes behind that the hash may not have seen: it is read again when it is needed.
    this.#hashes.delete(upload.id)
    const limited = this.#limited(body, open, place, turn)
    const newSizeBytes = await this.#blobs.append(key, sizeBytes, hash.through(limited))
    if (hash.sizeBytes === newSizeBytes) this.#remember(upload.id, hash)
    const lastPartBytes = newSizeBytes - sizeBytes
    const touched: Upload = { ...upload, touchedAt: this.#clock.now(), lastPartBytes, partCount: partCount + 1 }
    await this.#metadata.transact((tx) => tx.uploads.touch(upload.id, touched.touchedAt, lastPartBytes), {
      durability: 'relaxed',
    })
    return { upload: touched, key, sizeBytes: newSizeBytes, quotas }
  }

  /** The body, as long as it keeps what was promised and stays within the quota, until a newcomer asks for the turn. */
  async *#limited(
    body: AsyncIterable<Uint8Array>,
    { upload, sizeBytes, quotas }: OpenUpload,
    { lengthBytes }: PartPlace,
    turn: Turn,
  ): AsyncIterable<Uint8Array> {
    let receivedBytes = 0
    for await (const chunk of interruptible(body, turn.signal, () => uploadBusy(upload.id))) {
      turn.progress()
      receivedBytes += chunk.byteLength
      if (lengthBytes !== undefined && receivedBytes > lengthBytes)
        throw uploadLengthInvalid(lengthBytes, receivedBytes, sizeBytes)
      if (sizeBytes + receivedBytes > quotas.layerBytes) throw limitExceeded(quotas.layerBytes, 'bytes per layer')
      yield chunk
    }
    if (lengthBytes !== undefined && receivedBytes < lengthBytes)
      throw uploadLengthInvalid(lengthBytes, receivedBytes, sizeBytes + receivedBytes)
  }

  async #commit(ref: RepositoryRef, { upload, key, sizeBytes }: OpenUpload, digest: Digest): Promise<CompletedUpload> {
    const address = { vault: vaultOfUpload(key) ?? PLAIN, digest }
    await claimBlob(this.#metadata, address, this.#clock)
    await this.#blobs.commit(key, digest)
    const isNew = await this.#metadata.transact(async (tx) => {
      // The repository may have been deleted meanwhile, and another made under its name.
      const { id } = await getRepository(tx, ref)
      if (id !== upload.repositoryId) throw uploadNotFound(upload.id, ref)
      await tx.uploads.delete(upload.id)
      return tx.blobs.link(id, address, sizeBytes, this.#clock.now())
    })
    this.#hashes.delete(upload.id)
    return { digest, sizeBytes, isNew }
  }

  async #digestOf(open: OpenUpload, wanted: Digest): Promise<Digest> {
    const algorithm = digestAlgorithm(wanted)
    if (algorithm === 'sha256') return (await this.#hashOf(open)).digest()
    return (await this.#rehash(open, new RunningHash(algorithm))).digest()
  }

  async #hashOf(open: OpenUpload): Promise<RunningHash> {
    const hash = this.#hashes.get(open.upload.id)
    if (hash !== undefined && hash.sizeBytes === open.sizeBytes) return hash
    return this.#rehash(open, new RunningHash('sha256'))
  }

  /** The uploads that were written to last keep their hashes; nobody may make the registry keep more. */
  #remember(uploadId: string, hash: RunningHash): void {
    this.#hashes.delete(uploadId)
    this.#hashes.set(uploadId, hash)
    const [oldest] = this.#hashes.keys()
    if (this.#hashes.size > HASHES_MAX && oldest !== undefined) this.#hashes.delete(oldest)
  }

  async #rehash({ key, sizeBytes }: OpenUpload, hash: RunningHash): Promise<RunningHash> {
    if (sizeBytes > 0) for await (const chunk of await this.#blobs.readUpload(key)) hash.update(chunk)
    return hash
  }
}

/** Passes chunks on until the signal fires; then throws `reason()`, even if no chunk ever comes. */
async function* interruptible(
  body: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
  reason: () => Error,
): AsyncIterable<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]()
  let interrupt: (() => void) | undefined
  const onAbort = () => interrupt?.()
  signal.addEventListener('abort', onAbort, { once: true })
  let isDone = false
  try {
    for (;;) {
      // One promise for each chunk: a race against one that outlives them all would keep every chunk in memory.
      const next = await new Promise<IteratorResult<Uint8Array>>((resolve, reject) => {
        interrupt = () => reject(reason())
        if (signal.aborted) interrupt()
        else chunks.next().then(resolve, reject)
      })
      if (next.done === true) {
        isDone = true
        return
      }
      yield next.value
    }
  } finally {
    signal.removeEventListener('abort', onAbort)
    // Not awaited: the other end may be dead.
    if (!isDone) void Promise.resolve(chunks.return?.()).catch(() => undefined)
  }
}
