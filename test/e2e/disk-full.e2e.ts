import { afterAll, expect, test } from 'bun:test'
import { rm, statfs, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { noise, sha256 } from '../support/image-builder.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { looseVolume, type Volume, whyNoLooseVolume } from '../support/volume.ts'
import { type Answer, Wire } from '../torture/wire.ts'

const MB = 2 ** 20
const VOLUME_BYTES = 48 * MB
const LAYER_BYTES = 3 * MB
const LAYERS_MAX = 40
const TAGS_MAX = 5_000
const REPOSITORY = 'full/disk'
const TIMEOUT_MS = 120_000
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

const reason = await whyNoLooseVolume()
const run = reason === undefined ? test : test.skip
const why = reason === undefined ? '' : ` [skipped: no file system of its own: ${reason}]`

const opened: { close(): Promise<unknown> }[] = []

afterAll(async () => {
  for (const each of opened.reverse()) await each.close()
})

interface Kept {
  readonly digest: string
  readonly bytes: Buffer
}

run(
  `a disk that layers have filled refuses them clearly, serves what it has, and recovers${why}`,
  async () => {
    const { wire } = await registryOnSmallDisk()
    const { kept, refused } = await fillWithImages(wire)
    expect(kept.length).toBeGreaterThan(3)
    expectOciFull(refused)
    await expectServed(wire, kept)

    // The other interface, the other ways in.
    const large = noise('large', 5 * MB)
    const single = await wire.oci('POST', `${REPOSITORY}/blobs/uploads/?digest=${sha256(large)}`, { body: large })
    expectOciFull(single)
    expect(await pushLayerPart(wire, large)).toBe('LimitExceededException')
    await expectServed(wire, kept)

    // Deletes need no room worth mentioning; what they free can be had again.
    const [first, ...rest] = kept
    const gone = kept.slice(0, 3)
    for (const { digest } of gone) {
      const { error, output: deleted } = await wire.ecr('BatchDeleteImage', {
        repositoryName: REPOSITORY,
        imageIds: [{ imageTag: tagOf(digest) }],
      })
      expect({ error, failures: deleted.failures }).toEqual({ error: undefined, failures: [] })
    }
    const report = await wire.own('POST', 'gc')
    expect(report.status).toBe(200)
    expect(JSON.parse(report.bytes.toString()).deletedBlobs).toBeGreaterThanOrEqual(gone.length)
    await pushImage(wire, 'after', LAYER_BYTES)
    await expectServed(wire, rest.slice(2))
    expect((await wire.oci('GET', `${REPOSITORY}/manifests/${tagOf(first?.digest ?? '')}`)).status).toBe(404)
  },
  TIMEOUT_MS,
)

run(
  `a disk without a byte to spare refuses records clearly and loses none${why}`,
  async () => {
    const { wire, volume, registry } = await registryOnSmallDisk()
    const kept = [await pushImage(wire, 'only', 1 * MB)]
    const manifest = await wire.oci('GET', `${REPOSITORY}/manifests/${tagOf(kept[0]?.digest ?? '')}`)
    const filler = join(volume.path, 'filler')
    await fillCompletely(filler)

    const acknowledged: string[] = []
    let refused: Answer | undefined
    for (let n = 0; n < TAGS_MAX && refused === undefined; n++) {
      const request = { headers: { 'content-type': MANIFEST }, body: manifest.bytes }
      const answer = await wire.oci('PUT', `${REPOSITORY}/manifests/t${n}`, request)
      if (answer.status === 201) acknowledged.push(`t${n}`)
      else refused = answer
    }
    expectOciFull(refused)
    expect((await wire.ecr('CreateRepository', { repositoryName: 'full/other' })).error).toBe('LimitExceededException')
    await expectServed(wire, kept)
    expect(await tagsOf(wire)).toEqual([...acknowledged, tagOf(kept[0]?.digest ?? '')].sort())

    // Not even a restart on the full disk loses anything.
    await registry.kill()
    await using again = await startRegistry({ dataDir: registry.dataDir, env: ENVIRONMENT })
    const after = new Wire(again.port)
    await after.logIn()
    expect(await tagsOf(after)).toEqual([...acknowledged, tagOf(kept[0]?.digest ?? '')].sort())
    await expectServed(after, kept)

    await rm(filler)
    expect((await after.ecr('CreateRepository', { repositoryName: 'full/other' })).error).toBeUndefined()
    await pushImage(after, 'after', LAYER_BYTES)
    await expectServed(after, kept)
  },
  TIMEOUT_MS,
)

const ENVIRONMENT = { ECRU_GC_GRACE: '0', ECRU_GC_INTERVAL: '0', ECRU_LOG_LEVEL: 'warn' }

async function registryOnSmallDisk(): Promise<{ wire: Wire; volume: Volume; registry: RunningRegistry }> {
  const volume = await looseVolume(VOLUME_BYTES)
  opened.push({ close: () => volume.remove() })
  const registry = await startRegistry({ dataDir: join(volume.path, 'data'), env: ENVIRONMENT })
  opened.push({ close: () => registry.stop() })
  const wire = new Wire(registry.port)
  wire.acceptedFaults.add(507)
  await wire.logIn()
  await wire.ecr('CreateRepository', { repositoryName: REPOSITORY })
  return { wire, volume, registry }
}

/** Images of one layer each, until one is refused. */
async function fillWithImages(wire: Wire): Promise<{ kept: readonly Kept[]; refused: Answer | undefined }> {
  const kept: Kept[] = []
  for (let n = 0; n < LAYERS_MAX; n++) {
    const bytes = noise(`layer ${n}`, LAYER_BYTES)
    const refused = await pushBlob(wire, bytes)
    if (refused !== undefined) return { kept, refused }
    kept.push(await putManifest(wire, bytes))
  }
  return { kept, refused: undefined }
}

/** The first error of a push by the ECR API. */
async function pushLayerPart(wire: Wire, bytes: Buffer): Promise<string | undefined> {
  const { error, output } = await wire.ecr('InitiateLayerUpload', { repositoryName: REPOSITORY })
  if (error !== undefined) return error
  const part = await wire.ecr('UploadLayerPart', {
    repositoryName: REPOSITORY,
    uploadId: output.uploadId,
    partFirstByte: 0,
    partLastByte: bytes.length - 1,
    layerPartBlob: bytes.toString('base64'),
  })
  return part.error
}

async function pushImage(wire: Wire, seed: string, sizeBytes: number): Promise<Kept> {
  const bytes = noise(seed, sizeBytes)
  expect(await pushBlob(wire, bytes)).toBeUndefined()
  return putManifest(wire, bytes)
}

/** Streams the bytes in; the answer that refused them, if one did. */
async function pushBlob(wire: Wire, bytes: Buffer): Promise<Answer | undefined> {
  const begun = await wire.oci('POST', `${REPOSITORY}/blobs/uploads/`)
  if (begun.status !== 202) return begun
  const location = begun.headers.get('location') ?? ''
  const patched = await wire.at('PATCH', location, { body: new Blob([new Uint8Array(bytes)]).stream() })
  if (patched.status !== 202) return patched
  const put = await wire.at('PUT', `${location}?digest=${sha256(bytes)}`)
  return put.status === 201 ? undefined : put
}

/** The blob serves as the config of an image without layers, so that it costs no more than itself. */
async function putManifest(wire: Wire, bytes: Buffer): Promise<Kept> {
  const digest = sha256(bytes)
  const config = { mediaType: 'application/octet-stream', digest, size: bytes.length }
  const body = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: MANIFEST, config, layers: [] }))
  const answer = await wire.oci('PUT', `${REPOSITORY}/manifests/${tagOf(digest)}`, {
    headers: { 'content-type': MANIFEST },
    body,
  })
  expect(answer.status).toBe(201)
  return { digest, bytes }
}

function tagOf(digest: string): string {
  return `of-${digest.slice(7, 19)}`
}

async function expectServed(wire: Wire, kept: readonly Kept[]): Promise<void> {
  for (const { digest, bytes } of kept) {
    expect((await wire.oci('GET', `${REPOSITORY}/manifests/${tagOf(digest)}`)).status).toBe(200)
    const pulled = await wire.oci('GET', `${REPOSITORY}/blobs/${digest}`)
    expect(pulled.status).toBe(200)
    expect(pulled.bytes.equals(bytes)).toBe(true)
  }
}

async function tagsOf(wire: Wire): Promise<readonly string[]> {
  const tags: string[] = []
  for (let last = ''; ; ) {
    const page = await wire.oci('GET', `${REPOSITORY}/tags/list?n=1000&last=${last}`)
    const found = (JSON.parse(page.bytes.toString()) as { tags: readonly string[] }).tags
    tags.push(...found)
    if (found.length < 1000) return tags.sort()
    last = found.at(-1) ?? ''
  }
}

function expectOciFull(answer: Answer | undefined): void {
  expect(answer?.status).toBe(507)
  expect(JSON.parse(answer?.bytes.toString() ?? '{}')).toMatchObject({
    errors: [{ code: 'DENIED', message: expect.stringContaining('space') }],
  })
}

async function fillCompletely(file: string): Promise<void> {
  for (let size = MB; size >= 1024; size /= 2) {
    try {
      for (;;) await writeFile(file, Buffer.alloc(size), { flag: 'a', flush: true })
    } catch (error) {
      if (!String(error).includes('ENOSPC')) throw error
    }
  }
  expect((await statfs(file)).bavail).toBeLessThan(8)
}
