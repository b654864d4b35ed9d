import { sha256 } from '../../support/image-builder.ts'
import type { ApiAnswer } from '../in-process-registry.ts'
import type { SeedCall } from './sample.ts'

const CONFIG = '{}'
export const LAYER = 'bytes of a layer'
export const IMAGE_TYPE = 'application/vnd.oci.image.manifest.v1+json'
const MANIFEST = manifestNamed('v1')
export const DIGEST = sha256(MANIFEST)

/** The repository of the image. */
export const inApp = { repositoryName: 'team/app' }

/** Pushes the image that the samples speak of, tagged `v1`, by the API alone. */
export async function pushSampleImage(call: SeedCall): Promise<void> {
  for (const content of [CONFIG, LAYER]) {
    const upload = { ...inApp, uploadId: await startUpload(call) }
    await call('UploadLayerPart', { ...upload, ...partOf(content) })
    await call('CompleteLayerUpload', { ...upload, layerDigests: [sha256(content)] })
  }
  await call('PutImage', { ...inApp, imageManifest: MANIFEST, imageTag: 'v1' })
}

export async function startUpload(call: SeedCall): Promise<string> {
  return uploadIdOf(await call('InitiateLayerUpload', inApp))
}

const uploadIdOf = ({ body }: ApiAnswer) => String(body.uploadId)

/** A whole layer as one part. */
export function partOf(content: string) {
  const bytes = Buffer.from(content)
  return { partFirstByte: 0, partLastByte: bytes.length - 1, layerPartBlob: bytes.toString('base64') }
}

/** A manifest over the same layer for every name. */
export function manifestNamed(name: string): string {
  const descriptor = (mediaType: string, content: string) => ({
    mediaType,
    digest: sha256(content),
    size: content.length,
  })
  return JSON.stringify({
    schemaVersion: 2,
    mediaType: IMAGE_TYPE,
    config: descriptor('application/vnd.oci.image.config.v1+json', CONFIG),
    layers: [descriptor('application/vnd.oci.image.layer.v1.tar', LAYER)],
    annotations: { name },
  })
}
