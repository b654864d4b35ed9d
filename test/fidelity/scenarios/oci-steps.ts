import { sha256 } from '../../support/image-builder.ts'
import type { Step } from './scenario.ts'
import type { Manifest, World } from './world.ts'

/** `done`, or the code of the error envelope (the status where there is none, as for HEAD). */
async function outcomeOf(response: Response): Promise<string> {
  const text = await response.text()
  if (response.ok) return 'done'
  return /"code":"(\w+)"/.exec(text)?.[1] ?? String(response.status)
}

async function pushBlobs(world: World, repository: string, contents: readonly string[]): Promise<string> {
  for (const content of contents) {
    const path = `${repository}/blobs/uploads/?digest=${sha256(content)}`
    const started = await world.oci('POST', path, { body: content })
    // ECR opens an upload where OCI would have finished it.
    const response =
      started.status === 202
        ? await world.oci('PUT', `${started.headers.get('location')}?digest=${sha256(content)}`, { body: content })
        : started
    const outcome = await outcomeOf(response)
    if (outcome !== 'done') return outcome
  }
  return 'done'
}

async function push(world: World, repository: string, reference: string, manifest: Manifest): Promise<string> {
  const blobs = await pushBlobs(world, repository, manifest.blobs)
  if (blobs !== 'done') return blobs
  return pushManifest(world, repository, reference, manifest)
}

async function pushManifest(world: World, repository: string, reference: string, manifest: Manifest): Promise<string> {
  const headers = { 'content-type': manifest.mediaType }
  const path = `${repository}/manifests/${world.referenceOf(reference)}`
  return outcomeOf(await world.oci('PUT', path, { body: manifest.text, headers }))
}

const listOf = async (response: Response, member: string): Promise<readonly Readonly<Record<string, unknown>>[]> =>
  ((await response.json()) as Readonly<Record<string, readonly Readonly<Record<string, unknown>>[]>>)[member] ?? []

/** What docker and its like do: the OCI interface. References are tags, or `@NAME` for the digest of a named manifest. */
export const docker = {
  /** Layers, config and manifest of the named image. */
  push:
    (repository: string, reference: string, name: string): Step =>
    (world) =>
      push(world, repository, reference, world.manifest(name)),
  pushManifestOnly:
    (repository: string, reference: string, name: string): Step =>
    (world) =>
      pushManifest(world, repository, reference, world.manifest(name)),
  pushBlob:
    (repository: string, content: string): Step =>
    (world) =>
      pushBlobs(world, repository, [content]),
  pushIndex:
    (repository: string, reference: string, name: string, ...children: readonly string[]): Step =>
    (world) =>
      push(world, repository, reference, world.describeIndex(name, children)),
  /** An image that says of itself that it belongs to `subject`. */
  pushReferrer:
    (repository: string, reference: string, name: string, subject: string, artifactType = 'application/sbom'): Step =>
    (world) => {
      const { digest, mediaType, text } = world.manifest(subject)
      const extra = { artifactType, subject: { mediaType, digest, size: text.length } }
      return push(world, repository, reference, world.describe(name, extra))
    },
  /** The name of what a reference stands for, or the refusal. */
  pull:
    (repository: string, reference: string): Step =>
    async (world) => {
      const response = await world.oci('GET', `${repository}/manifests/${world.referenceOf(reference)}`)
      if (!response.ok) return outcomeOf(response)
      const text = await response.text()
      return response.headers.get('docker-content-digest') === sha256(text) ? world.nameOf(sha256(text)) : text
    },
  head:
    (repository: string, reference: string): Step =>
    async (world) =>
      outcomeOf(await world.oci('HEAD', `${repository}/manifests/${world.referenceOf(reference)}`)),
  remove:
    (repository: string, reference: string): Step =>
    async (world) =>
      outcomeOf(await world.oci('DELETE', `${repository}/manifests/${world.referenceOf(reference)}`)),
  /** The tags, sorted, or the refusal. */
  tags:
    (repository: string, query = ''): Step =>
    async (world) => {
      const response = await world.oci('GET', `${repository}/tags/list${query}`)
      if (!response.ok) return outcomeOf(response)
      return [...((await response.json()) as { readonly tags: readonly string[] }).tags].sort()
    },
  /** All tags, page by page. */
  tagPages:
    (repository: string, size: number): Step =>
    async (world) => {
      const pages: (readonly string[])[] = []
      let next: string | undefined = `${repository}/tags/list?n=${size}`
      while (next !== undefined) {
        const response: Response = await world.oci('GET', next)
        pages.push(((await response.json()) as { readonly tags: readonly string[] }).tags)
        next = /<([^>]+)>/.exec(response.headers.get('link') ?? '')?.[1]
      }
      return pages
    },
  catalog: (): Step => async (world) =>
    ((await (await world.oci('GET', '_catalog')).json()) as { readonly repositories: readonly string[] }).repositories,
  /** The names of what refers to an image. */
  referrers:
    (repository: string, subject: string, artifactType?: string): Step =>
    async (world) => {
      const query = artifactType === undefined ? '' : `?artifactType=${encodeURIComponent(artifactType)}`
      const response = await world.oci('GET', `${repository}/referrers/${world.manifest(subject).digest}${query}`)
      return (await listOf(response, 'manifests')).map(({ digest }) => world.nameOf(String(digest))).sort()
    },
  /** The bytes of a layer. */
  blob:
    (repository: string, content: string): Step =>
    async (world) => {
      const response = await world.oci('GET', `${repository}/blobs/${sha256(content)}`)
      if (response.status === 307) {
        const target = await world.registry.send(new Request(response.headers.get('location') ?? ''))
        return target.ok ? target.text() : outcomeOf(target)
      }
      return response.ok ? response.text() : outcomeOf(response)
    },
  hasBlob:
    (repository: string, content: string): Step =>
    async (world) =>
      (await world.oci('HEAD', `${repository}/blobs/${sha256(content)}`)).ok,
  removeBlob:
    (repository: string, content: string): Step =>
    async (world) =>
      outcomeOf(await world.oci('DELETE', `${repository}/blobs/${sha256(content)}`)),
  mount:
    (repository: string, source: string, content: string): Step =>
    async (world) => {
      const path = `${repository}/blobs/uploads/?mount=${sha256(content)}&from=${source}`
      const response = await world.oci('POST', path)
      return response.status === 201 ? 'mounted' : response.status === 202 ? 'to be uploaded' : outcomeOf(response)
    },
  login: (): Step => async (world) => outcomeOf(await world.oci('GET', '')),
}
