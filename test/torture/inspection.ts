import type { Contents } from './content.ts'
import { ABSENT, describeImages, type RepositoryState, shown } from './specification.ts'
import { Violation, type Wire } from './wire.ts'

const AT_ONCE = 16
const LAYERS_PER_CALL = 100

interface RepositoryOutput {
  readonly repositoryName: string
  readonly imageTagMutability: string
}

interface ImageDetail {
  readonly imageDigest: string
  readonly imageTags?: readonly string[]
  readonly imageStatus: string
}

/** Reads what a quiet server holds, and complains of everything that is not whole. */
export class Inspection {
  readonly #wire: Wire
  readonly #contents: Contents
  readonly #verifiedBlobs = new Set<string>()

  constructor(wire: Wire, contents: Contents) {
    this.#wire = wire
    this.#contents = contents
  }

  /** The repositories that exist, with their mutability. */
  async repositories(): Promise<ReadonlyMap<string, string>> {
    const { repositories } = (await this.#ecr('DescribeRepositories', { maxResults: 1000 })) as unknown as {
      repositories: readonly RepositoryOutput[]
    }
    return new Map(repositories.map(({ repositoryName, imageTagMutability }) => [repositoryName, imageTagMutability]))
  }

  /**
   * The repository's images, tags, and which of `blobs` it links. Every manifest is fetched by digest and by tag, and
   * every blob that an image needs is fetched: all from their own repository when `isThorough`, else each once. What is
   * archived must be there and not be had.
   */
  async repository(
    name: string,
    mutability: string,
    blobs: ReadonlySet<string>,
    isThorough: boolean,
  ): Promise<RepositoryState> {
    const images = await this.#images(name)
    const tags = new Map<string, string>()
    for (const { imageDigest, imageTags = [] } of images) for (const tag of imageTags) tags.set(tag, imageDigest)
    const digests = new Set(images.map(({ imageDigest }) => imageDigest))
    const archived = new Set(images.flatMap((one) => (one.imageStatus === 'ARCHIVED' ? [one.imageDigest] : [])))
    const state = { ...ABSENT, exists: true, mutability, images: digests, archived, tags }
    const active = shown(state, 'ACTIVE')
    const away = shown(state, 'ARCHIVED')
    await this.#compareListings(name, state)
    await inParallel([...active.images], (digest) => this.#checkImage(name, digest, digest, active.images))
    await inParallel([...active.tags], ([tag, digest]) => this.#checkImage(name, tag, digest, active.images))
    await inParallel([...away.images, ...away.tags.keys()], (reference) => this.#checkArchived(name, reference))
    const needed = this.#neededBy(active.images)
    const neededAway = [...this.#neededBy(away.images)].filter((blob) => !needed.has(blob))
    const unread = [...needed].filter((blob) => isThorough || !this.#verifiedBlobs.has(blob))
    await inParallel(unread, (blob) => this.#checkBlob(name, blob))
    const found = await this.#availability(name, [...new Set([...needed, ...neededAway, ...blobs])])
    const missing = [...needed].filter((blob) => found.get(blob) !== 'AVAILABLE')
    if (missing.length > 0) throw new Violation(`${name} lacks ${this.#names(missing)} that its images need`)
    const present = neededAway.filter((blob) => found.get(blob) !== 'ARCHIVED')
    if (present.length > 0)
      throw new Violation(`${name}: ${this.#names(present)} should be archived, like the images that need them`)
    const links = new Map<string, number>()
    for (const [blob, availability] of found) if (availability !== 'UNAVAILABLE') links.set(blob, -Infinity)
    return { ...state, links }
  }

  async #images(name: string): Promise<readonly ImageDetail[]> {
    const all: ImageDetail[] = []
    let nextToken: string | undefined
    do {
      // Small pages, so that paging is in the test.
      const filter = { imageStatus: 'ANY' }
      const input = { repositoryName: name, maxResults: 7, filter, ...(nextToken !== undefined && { nextToken }) }
      const page = (await this.#ecr('DescribeImages', input)) as unknown as {
        imageDetails: readonly ImageDetail[]
        nextToken?: string
      }
      all.push(...page.imageDetails)
      nextToken = page.nextToken
    } while (nextToken !== undefined)
    const digests = new Set(all.map(({ imageDigest }) => imageDigest))
    if (digests.size !== all.length) throw new Violation(`${name}: DescribeImages lists an image twice`)
    return all
  }

  /** ListImages and the tags list must tell the same as DescribeImages. */
  async #compareListings(name: string, state: RepositoryState) {
    for (const status of ['ANY', 'ACTIVE', 'ARCHIVED'] as const) {
      const input = { repositoryName: name, maxResults: 1000, filter: { imageStatus: status } }
      const { imageIds } = (await this.#ecr('ListImages', input)) as unknown as {
        imageIds: readonly { imageDigest: string; imageTag?: string }[]
      }
      const listed = imageIds
        .map(({ imageDigest, imageTag = '' }) => `${imageTag}=${imageDigest}`)
        .sort()
        .join(' ')
      const described = describeImages(shown(state, status))
      if (listed !== described)
        throw new Violation(`${name}: ListImages (${status}) says ${listed}, DescribeImages ${described}`)
    }
    const { tags } = shown(state, 'ACTIVE')
    const { bytes } = await this.#wire.oci('GET', `${name}/tags/list`)
    const names = (JSON.parse(bytes.toString()) as { tags: readonly string[] }).tags
    if ([...names].sort().join(' ') !== [...tags.keys()].sort().join(' '))
      throw new Violation(`${name}: tags/list says ${names}, DescribeImages ${[...tags.keys()]}`)
  }

  async #checkImage(name: string, reference: string, digest: string, images: ReadonlySet<string>): Promise<void> {
    const content = this.#contents.manifest(digest)
    const path = `${name}/manifests/${reference}`
    const answer = await this.#wire.oci('GET', path, { headers: { accept: content.mediaType } })
    if (answer.status !== 200)
      throw new Violation(`${path} (${content.name}) is listed but answers ${answer.status} ${answer.bytes}`)
    const named = answer.headers.get('docker-content-digest')
    if (!answer.bytes.equals(content.bytes) || named !== digest)
      throw new Violation(
        `${path} should be ${content.name} (${digest}), is ${named} with ${answer.bytes.length} bytes`,
      )
    if (answer.headers.get('content-type') !== content.mediaType)
      throw new Violation(`${path} came as ${answer.headers.get('content-type')}`)
    for (const child of content.children)
      if (!images.has(child))
        throw new Violation(`${name}: ${content.name} lists ${this.#contents.nameOf(child)}, which is gone or archived`)
  }

  async #checkArchived(name: string, reference: string): Promise<void> {
    const { status } = await this.#wire.oci('GET', `${name}/manifests/${reference}`)
    if (status !== 404) throw new Violation(`${name}/manifests/${reference} is archived but answers ${status}`)
  }

  #neededBy(images: ReadonlySet<string>): ReadonlySet<string> {
    return new Set([...images].flatMap((image) => this.#contents.manifest(image).blobs))
  }

  async #checkBlob(name: string, digest: string): Promise<void> {
    const { status, bytes } = await this.#wire.oci('GET', `${name}/blobs/${digest}`)
    const content = this.#contents.blob(digest)
    if (status !== 200)
      throw new Violation(
        `${name}: ${this.#contents.nameOf(digest)} (${digest}) is needed but answers ${status} ${bytes}`,
      )
    if (!bytes.equals(content.bytes))
      throw new Violation(
        `${name}: ${this.#contents.nameOf(digest)} (${digest}) has other bytes, ${bytes.length} of ${content.bytes.length}`,
      )
    this.#verifiedBlobs.add(digest)
  }

  async #availability(name: string, blobs: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>()
    for (let at = 0; at < blobs.length; at += LAYERS_PER_CALL) {
      const layerDigests = blobs.slice(at, at + LAYERS_PER_CALL)
      const { layers } = (await this.#ecr('BatchCheckLayerAvailability', {
        repositoryName: name,
        layerDigests,
      })) as unknown as {
        layers: readonly { layerDigest: string; layerAvailability: string }[]
      }
      for (const { layerDigest, layerAvailability } of layers) found.set(layerDigest, layerAvailability)
    }
    return found
  }

  async #ecr(operation: string, input: object): Promise<Readonly<Record<string, unknown>>> {
    const { error, output } = await this.#wire.ecr(operation, input)
    if (error !== undefined)
      throw new Violation(`${operation} ${JSON.stringify(input)} answers ${error} ${JSON.stringify(output)}`)
    return output
  }

  #names(digests: readonly string[]): string {
    return digests.map((digest) => `${this.#contents.nameOf(digest)} (${digest})`).join(', ')
  }
}

async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  const queue = items.values()
  const worker = async () => {
    for (const item of queue) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}
