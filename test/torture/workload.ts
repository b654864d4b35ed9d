import { noise } from '../support/image-builder.ts'
import type { Contents, ManifestContent, SharedContent } from './content.ts'
import type { ImageId, Plane, Recorder } from './operation.ts'
import type { Random } from './random.ts'
import { RepositoryClient } from './repository-client.ts'
import { ConnectionLost, Violation, type Wire } from './wire.ts'

/** Holds every shared image from the beginning and is never deleted from: what it holds can always be mounted. */
export const LIBRARY = 'torture/library'
export const CHURNED = ['torture/a', 'torture/b', 'nested/torture/c'] as const
export const REPOSITORIES: readonly string[] = [LIBRARY, ...CHURNED]

const TAGS = ['latest', 'v1', 'v2', 'stable', 'edge'] as const

const WEIGHTS = {
  pushImage: 30,
  pushIndex: 6,
  pushArtifact: 5,
  retag: 8,
  pull: 10,
  list: 6,
  referrers: 3,
  archive: 7,
  restore: 4,
  deleteTag: 5,
  deleteImage: 5,
  batchDelete: 6,
  deleteBlob: 2,
  createRepository: 6,
  deleteRepository: 3,
  putMutability: 2,
  abandonUpload: 2,
  collect: 2,
  scrub: 1,
} as const

/** One client that does random things to the churned repositories until it is stopped or the server dies. */
export class Client {
  readonly #name: string
  readonly #random: Random
  readonly #wire: Wire
  readonly #recorder: Recorder
  readonly #contents: Contents
  readonly #shared: SharedContent
  /** What it has sent to an archive, whether or not it got there. */
  readonly #archived: string[] = []
  #freshImages = 0
  isStopped = false

  constructor(name: string, random: Random, wire: Wire, recorder: Recorder, contents: Contents, shared: SharedContent) {
    this.#name = name
    this.#random = random
    this.#wire = wire
    this.#recorder = recorder
    this.#contents = contents
    this.#shared = shared
  }

  /** Throws what a server must never do; a lost connection just ends it. */
  async run(): Promise<void> {
    try {
      while (!this.isStopped) await this.#step()
    } catch (thrown) {
      if (!(thrown instanceof ConnectionLost)) throw thrown
    }
  }

  async #step(): Promise<void> {
    const random = this.#random
    const repository = this.#repository(random.pick(CHURNED))
    switch (random.weighted(WEIGHTS)) {
      case 'pushImage':
        return this.#pushImage(repository, random.chance(0.4) ? this.#freshImage() : random.pick(this.#shared.images))
      case 'pushIndex': {
        const index = random.pick(this.#shared.indexes)
        for (const child of index.children) await this.#pushImage(repository, this.#contents.manifest(child), null)
        await repository.putImage(this.#plane(), index.digest, this.#tag())
        return
      }
      case 'pushArtifact':
        return this.#pushArtifact(repository, random.pick(this.#shared.artifacts))
      case 'retag': {
        const image = await repository.getTag(random.pick(TAGS))
        if (this.#contents.manifests.has(image)) await repository.putImage(this.#plane(), image, random.pick(TAGS))
        return
      }
      case 'pull':
        return this.#pull(repository)
      case 'list':
        return repository.listImages(random.pick(['ACTIVE', 'ARCHIVED', 'ANY']))
      case 'referrers':
        return repository.listReferrers(random.pick(this.#shared.images).digest)
      case 'archive':
        return this.#archive(repository)
      case 'restore':
        return repository.restore(this.#archived.pop() ?? this.#anyManifest().digest)
      case 'deleteTag':
        return repository.deleteTag(random.pick(TAGS))
      case 'deleteImage':
        return repository.deleteImage(this.#anyManifest().digest)
      case 'batchDelete':
        return repository.batchDelete(Array.from({ length: random.between(1, 5) }, () => this.#imageId()))
      case 'deleteBlob':
        return repository.deleteBlob(random.pick(random.pick(this.#shared.images).blobs))
      case 'createRepository':
        await repository.create(random.chance(0.2) ? 'IMMUTABLE' : 'MUTABLE')
        return
      case 'deleteRepository':
        await repository.delete(random.chance(0.5))
        return
      case 'putMutability':
        await repository.putMutability(random.chance(0.3) ? 'IMMUTABLE' : 'MUTABLE')
        return
      case 'abandonUpload':
        return this.#abandonUpload(repository)
      case 'collect':
        await this.#wire.own('POST', 'gc')
        return
      case 'scrub':
        return this.#scrub()
    }
  }

  /** Nothing that was ever stored here is bad. */
  async #scrub(): Promise<void> {
    const { status, bytes } = await this.#wire.own('POST', 'scrub')
    const { faults } = JSON.parse(bytes.toString()) as { faults?: readonly unknown[] }
    if (status !== 200 || faults?.length !== 0) throw new Violation(`scrub answers ${status} ${bytes}`)
  }

  /** `tag: null` pushes by digest; without one it is chosen. */
  async #pushImage(repository: RepositoryClient, image: ManifestContent, tag?: null): Promise<void> {
    for (const blob of image.blobs) await this.#pushBlob(repository, blob)
    await repository.putImage(this.#plane(), image.digest, tag === null ? undefined : this.#tag())
  }

  /** An artifact mostly comes after what it refers to. */
  async #pushArtifact(repository: RepositoryClient, artifact: ManifestContent): Promise<void> {
    const subject = artifact.subject === undefined ? undefined : this.#contents.manifest(artifact.subject)
    if (subject !== undefined && this.#random.chance(0.7)) await this.#pushImage(repository, subject)
    await this.#pushImage(repository, artifact, null)
  }

  /** Mostly what a tag points at, which is there. */
  async #archive(repository: RepositoryClient): Promise<void> {
    const tagged = this.#random.chance(0.8) ? await repository.getTag(this.#random.pick(TAGS)) : undefined
    const isThere = tagged !== undefined && this.#contents.manifests.has(tagged)
    const image = isThere ? tagged : this.#anyManifest().digest
    this.#archived.push(image)
    await repository.archive(image)
  }

  async #pushBlob(repository: RepositoryClient, digest: string): Promise<void> {
    const random = this.#random
    const isShared = this.#shared.images.some(({ blobs }) => blobs.includes(digest))
    if (random.chance(0.3) && (await repository.statBlob(digest)) === 'ok') return
    if (isShared && random.chance(0.25)) {
      const isSourceSure = random.chance(0.6)
      const source = isSourceSure ? LIBRARY : random.pick(CHURNED)
      const location = await repository.mount(digest, source, isSourceSure)
      if (location !== undefined) await repository.complete(location, digest, this.#contents.blob(digest).bytes)
      return
    }
    if (random.chance(0.3)) return this.#pushLayer(repository, digest)
    const location = await repository.startUpload('oci')
    if (location !== undefined) await this.#upload(repository, location, digest)
  }

  async #upload(repository: RepositoryClient, location: string, digest: string): Promise<void> {
    const random = this.#random
    const { bytes } = this.#contents.blob(digest)
    const middle = random.between(1, bytes.length - 1)
    switch (random.weighted({ monolithic: 4, streamed: 3, chunked: 3, resumed: 2 })) {
      case 'monolithic':
        await repository.complete(location, digest, bytes)
        return
      case 'streamed': {
        const next = await repository.append(location, bytes, 'streamed', 0)
        if (next !== undefined) await repository.complete(next, digest)
        return
      }
      case 'chunked': {
        const next = await repository.append(location, bytes.subarray(0, middle), 'ranged', 0)
        const last = next && (await repository.append(next, bytes.subarray(middle), 'ranged', middle))
        if (last !== undefined) await repository.complete(last, digest)
        return
      }
      case 'resumed': {
        const next = await repository.breakOffAndResume(location, bytes, middle)
        if (next !== undefined) await repository.complete(next, digest)
      }
    }
  }

  async #pushLayer(repository: RepositoryClient, digest: string): Promise<void> {
    const upload = await repository.startUpload('ecr')
    if (upload === undefined) return
    const outcome = await repository.uploadPart(upload, this.#contents.blob(digest).bytes, 0)
    if (outcome === 'ok') await repository.completeLayer(upload, digest)
  }

  async #pull(repository: RepositoryClient): Promise<void> {
    const image = this.#random.chance(0.7)
      ? await repository.getTag(this.#random.pick(TAGS))
      : this.#anyManifest().digest
    if (!this.#contents.manifests.has(image)) return
    await repository.getImage(image)
    for (const blob of this.#contents.manifest(image).blobs) await repository.pullBlob(this.#plane(), blob)
  }

  async #abandonUpload(repository: RepositoryClient): Promise<void> {
    const location = await repository.startUpload('oci')
    if (location === undefined) return
    const next = await repository.append(location, Buffer.alloc(this.#random.between(1, 5_000)), 'plain', 0)
    if (next !== undefined && this.#random.chance(0.4)) await repository.cancel(next)
  }

  #freshImage(): ManifestContent {
    const name = `${this.#name}.${this.#freshImages++}`
    const layer = this.#contents.addBlob(`${name}.layer`, noise(name, this.#random.between(2, 20_000)))
    const shared = this.#contents.blob(this.#random.pick(this.#random.pick(this.#shared.images).blobs.slice(1)))
    return this.#contents.addImage(name, [layer, shared])
  }

  #anyManifest(): ManifestContent {
    const { images, indexes, artifacts } = this.#shared
    return this.#random.pick([...images, ...indexes, ...artifacts])
  }

  #imageId(): ImageId {
    const tag = this.#random.pick(TAGS)
    const { digest } = this.#anyManifest()
    const which = this.#random.weighted({ tag: 4, digest: 4, both: 1 })
    return which === 'tag' ? { tag } : which === 'digest' ? { digest } : { tag, digest }
  }

  #tag(): string | undefined {
    return this.#random.chance(0.8) ? this.#random.pick(TAGS) : undefined
  }

  #plane(): Plane {
    return this.#random.chance(0.6) ? 'oci' : 'ecr'
  }

  #repository(name: string): RepositoryClient {
    return new RepositoryClient(name, this.#name, this.#wire, this.#recorder, this.#contents)
  }
}
