import type { Contents } from './content.ts'
import { describeImages, type RepositoryState } from './specification.ts'
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
   * every blob that an image needs is fetched: all from their own repository when `isThorough`, else each once.
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
    await this.#compareListings(name, digests, tags)
    await inParallel([...digests], (digest) => this.#checkImage(name, digest, digest, digests))
    await inParallel([...tags], ([tag, digest]) => this.#checkImage(name, tag, digest, digests))
    const needed = new Set([...digests].flatMap((digest) => this.#contents.manifest(digest).blobs))
    const unread = [...needed].filter((blob) => isThorough || !this.#verifiedBlobs.has(blob))
    await inParallel(unread, (blob) => this.#checkBlob(name, blob))
    const links = await this.#links(name, [...new Set([...needed, ...blobs])])
    const missing = [...needed].filter((blob) => !links.has(blob))
    if (missing.length > 0) throw new Violation(`${name} lacks ${this.#names(missing)} that its images need`)
    return { exists: true, mutability, images: digests, tags, links, uploads: new Set() }
  }

  async #images(name: string): Promise<readonly ImageDetail[]> {
    const all: ImageDetail[] = []
    let nextToken: string | undefined
    do {
      // Small pages, so that paging is in the test.
      const input = { repositoryName: name, maxResults: 7, ...(nextToken !== undefined && { nextToken }) }
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
  async #compareListings(name: string, images: ReadonlySet<string>, tags: ReadonlyMap<string, string>) {
    const { imageIds } = (await this.#ecr('ListImages', { repositoryName: name, maxResults: 1000 })) as unknown as {
      imageIds: readonly { imageDigest: string; imageTag?: string }[]
    }
    const listed = imageIds
      .map(({ imageDigest, imageTag = '' }) => `${imageTag}=${imageDigest}`)
      .sort()
      .join(' ')
    const described = describeImages({ images, tags })
    if (listed !== described) throw new Violation(`${name}: ListImages says ${listed}, DescribeImages ${described}`)
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
        throw new Violation(`${name}: ${content.name} lists ${this.#contents.nameOf(child)}, which is gone`)
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

  async #links(name: string, blobs: readonly string[]): Promise<ReadonlyMap<string, number>> {
    const links = new Map<string, number>()
    for (let at = 0; at < blobs.length; at += LAYERS_PER_CALL) {
      const layerDigests = blobs.slice(at, at + LAYERS_PER_CALL)
      const { layers } = (await this.#ecr('BatchCheckLayerAvailability', {
        repositoryName: name,
        layerDigests,
      })) as unknown as {
        layers: readonly { layerDigest: string; layerAvailability: string }[]
      }
      for (const { layerDigest, layerAvailability } of layers)
        if (layerAvailability === 'AVAILABLE') links.set(layerDigest, Number.NEGATIVE_INFINITY)
    }
    return links
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
