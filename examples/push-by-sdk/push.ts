/**
 * Pushes an image by the ECR API alone, without any container tool, and reads a layer back:
 *
 *     npx ecru serve --memory &
 *     eval "$(npx ecru env)" && npx bun examples/push-by-sdk/push.ts
 */
import { createHash } from 'node:crypto'
import {
  CompleteLayerUploadCommand,
  CreateRepositoryCommand,
  ECRClient,
  GetDownloadUrlForLayerCommand,
  InitiateLayerUploadCommand,
  PutImageCommand,
  UploadLayerPartCommand,
} from '@aws-sdk/client-ecr'

const ecr = new ECRClient()
const repositoryName = 'examples/pushed-by-sdk'
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** Uploads one blob, in parts as large as the registry asks for, and answers its descriptor. */
async function pushBlob(mediaType: string, content: Uint8Array) {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
  const { uploadId, partSize = content.length } = await ecr.send(new InitiateLayerUploadCommand({ repositoryName }))
  for (let first = 0; first < content.length; first += partSize) {
    const layerPartBlob = content.subarray(first, first + partSize)
    const partLastByte = first + layerPartBlob.length - 1
    await ecr.send(
      new UploadLayerPartCommand({ repositoryName, uploadId, partFirstByte: first, partLastByte, layerPartBlob }),
    )
  }
  await ecr.send(new CompleteLayerUploadCommand({ repositoryName, uploadId, layerDigests: [digest] }))
  return { mediaType, digest, size: content.length }
}

const { repository } = await ecr.send(new CreateRepositoryCommand({ repositoryName }))
const config = await pushBlob(
  'application/vnd.oci.image.config.v1+json',
  bytesOf('{"architecture":"amd64","os":"linux"}'),
)
const layer = await pushBlob('application/vnd.oci.image.layer.v1.tar', bytesOf('not really a tar, but bytes are bytes'))

const mediaType = 'application/vnd.oci.image.manifest.v1+json'
const imageManifest = JSON.stringify({ schemaVersion: 2, mediaType, config, layers: [layer] })
const { image } = await ecr.send(new PutImageCommand({ repositoryName, imageManifest, imageTag: 'v1' }))
console.log(`pushed ${repository?.repositoryUri}:v1 as ${image?.imageId?.imageDigest}`)

const { downloadUrl = '' } = await ecr.send(
  new GetDownloadUrlForLayerCommand({ repositoryName, layerDigest: layer.digest }),
)
console.log(`layer reads: ${await (await fetch(downloadUrl)).text()}`)
