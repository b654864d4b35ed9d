import type { RunningRegistry } from './registry-peer.ts'

const manifestType = 'application/vnd.oci.image.manifest.v1+json'

/** One request with the registry's login; throws unless the status is the expected one. The caller reads the body. */
export async function request(
  registry: RunningRegistry,
  method: string,
  path: string,
  expected: number,
  init: { readonly body?: Uint8Array | string; readonly contentType?: string } = {},
): Promise<Response> {
  const headers = new Headers()
  if (registry.authorization !== undefined) headers.set('authorization', registry.authorization)
  if (init.contentType !== undefined) headers.set('content-type', init.contentType)
  const response = await fetch(new URL(path, registry.url), { method, headers, body: init.body ?? null })
  if (response.status !== expected) {
    throw new Error(`${registry.name}: ${method} ${path} answered ${response.status}: ${await response.text()}`)
  }
  return response
}

/** Opens an upload and returns the absolute URL to send bytes to. */
export async function startUpload(registry: RunningRegistry, repository: string): Promise<URL> {
  return nextLocation(registry, await request(registry, 'POST', `/v2/${repository}/blobs/uploads/`, 202))
}

/** The absolute URL that an upload's answer names for the step after it; reads the answer's empty body. */
export async function nextLocation(registry: RunningRegistry, response: Response): Promise<URL> {
  await response.arrayBuffer()
  return new URL(response.headers.get('location') ?? '', registry.url)
}

/** Ends an upload: the same URL with the digest, and the last bytes when there are any. */
export async function finishUpload(
  registry: RunningRegistry,
  location: URL,
  digest: string,
  body?: Uint8Array,
): Promise<void> {
  const target = new URL(location)
  target.searchParams.set('digest', digest)
  const init = body === undefined ? {} : { body, contentType: 'application/octet-stream' }
  await (await request(registry, 'PUT', target.href, 201, init)).arrayBuffer()
}

/** Pushes a small blob as containerd does: POST, then one PUT with all bytes. */
export async function pushBlob(
  registry: RunningRegistry,
  repository: string,
  bytes: Uint8Array,
  digest = sha256(bytes),
): Promise<string> {
  await finishUpload(registry, await startUpload(registry, repository), digest, bytes)
  return digest
}

/** Pushes an image of one small config and one small layer under a tag, and returns its digest. */
export async function pushSmallImage(registry: RunningRegistry, repository: string, tag: string): Promise<string> {
  const config = Buffer.from(JSON.stringify({ architecture: 'amd64', os: 'linux', rootfs: { type: 'layers' } }))
  const layer = Buffer.from(`layer of ${tag}`)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: await descriptor('application/vnd.oci.image.config.v1+json', config),
    layers: [await descriptor('application/vnd.oci.image.layer.v1.tar', layer)],
  })
  const path = `/v2/${repository}/manifests/${tag}`
  await (await request(registry, 'PUT', path, 201, { body: manifest, contentType: manifestType })).arrayBuffer()
  return sha256(Buffer.from(manifest))

  async function descriptor(mediaType: string, bytes: Uint8Array) {
    return { mediaType, digest: await pushBlob(registry, repository, bytes), size: bytes.byteLength }
  }
}

/** The digest of bytes as registries write it. */
export function sha256(bytes: Uint8Array): string {
  return `sha256:${new Bun.CryptoHasher('sha256').update(bytes).digest('hex')}`
}
