import { sha256 } from '../../support/image-builder.ts'
import type { ApiAnswer } from '../in-process-registry.ts'
import type { Step } from './scenario.ts'
import type { World } from './world.ts'

type Members = Readonly<Record<string, unknown>>

const codeOf = ({ status, body }: ApiAnswer) => (status === 200 ? 'done' : String(body.__type))
const list = (body: Members, member: string) => (body[member] ?? []) as readonly Members[]

/** What a call is refused with, or what is picked from its answer. */
const look =
  (operation: string, input: (world: World) => object, pick: (body: Members, world: World) => unknown): Step =>
  async (world) => {
    const answer = await world.call(operation, input(world))
    return answer.status === 200 ? pick(answer.body, world) : codeOf(answer)
  }

/** `@NAME` is a digest, `@NAME:TAG` both, `TAG` a tag. */
function imageId(world: World, text: string): { imageDigest?: string; imageTag?: string } {
  const [, name, tag] = /^(?:@([^:]+))?:?(.*)$/.exec(text) ?? []
  return {
    ...(name === undefined ? {} : { imageDigest: world.manifest(name).digest }),
    ...(tag ? { imageTag: tag } : {}),
  }
}

async function uploadLayer(world: World, repositoryName: string, content: string): Promise<string> {
  const started = await world.call('InitiateLayerUpload', { repositoryName })
  if (started.status !== 200) return codeOf(started)
  const upload = { repositoryName, uploadId: started.body.uploadId }
  const bytes = Buffer.from(content)
  const range = { partFirstByte: 0, partLastByte: bytes.length - 1 }
  const part = await world.call('UploadLayerPart', { ...upload, ...range, layerPartBlob: bytes.toString('base64') })
  if (part.status !== 200) return codeOf(part)
  const completed = codeOf(await world.call('CompleteLayerUpload', { ...upload, layerDigests: [sha256(content)] }))
  return completed === 'LayerAlreadyExistsException' ? 'done' : completed
}

/** What the ECR API does, as the AWS CLI would call it. */
export const api = {
  /** Any operation: `done`, or the code of its refusal. */
  call:
    (operation: string, input: object = {}): Step =>
    async (world) =>
      codeOf(await world.call(operation, input)),
  /** Any operation: what is picked from its answer, or the code of its refusal. */
  see: (operation: string, input: object, pick: (body: Members, world: World) => unknown): Step =>
    look(operation, () => input, pick),
  repository: (repositoryName: string, settings: object = {}): Step =>
    api.call('CreateRepository', { repositoryName, ...settings }),
  /** Layers, config and manifest of the named image, all by the API; without a tag when it is empty. */
  push:
    (repositoryName: string, imageTag: string, name: string): Step =>
    async (world) => {
      const { text, blobs } = world.manifest(name)
      for (const content of blobs) {
        const outcome = await uploadLayer(world, repositoryName, content)
        if (outcome !== 'done') return outcome
      }
      const tag = imageTag === '' ? {} : { imageTag }
      return codeOf(await world.call('PutImage', { repositoryName, imageManifest: text, ...tag }))
    },
  layer:
    (repositoryName: string, content: string): Step =>
    (world) =>
      uploadLayer(world, repositoryName, content),
  /** What a tag or digest stands for: the name, or the code of the failure. */
  get: (repositoryName: string, id: string): Step =>
    look(
      'BatchGetImage',
      (world) => ({ repositoryName, imageIds: [imageId(world, id)] }),
      (body, world) => {
        const [image] = list(body, 'images')
        return image === undefined
          ? list(body, 'failures')[0]?.failureCode
          : world.nameOf(sha256(String(image.imageManifest)))
      },
    ),
  /** `NAME:TAG` of what was deleted, and the codes of what could not be. */
  delete: (repositoryName: string, ...ids: readonly string[]): Step =>
    look(
      'BatchDeleteImage',
      (world) => ({ repositoryName, imageIds: ids.map((id) => imageId(world, id)) }),
      (body, world) => [
        ...list(body, 'imageIds').map(({ imageDigest, imageTag }) =>
          [world.nameOf(String(imageDigest)), imageTag].filter((half) => half !== undefined).join(':'),
        ),
        ...list(body, 'failures').map(({ failureCode }) => failureCode),
      ],
    ),
  /** The tags, sorted. */
  tags: (repositoryName: string): Step =>
    look(
      'ListImages',
      () => ({ repositoryName, filter: { tagStatus: 'TAGGED' } }),
      (body) =>
        list(body, 'imageIds')
          .map(({ imageTag }) => imageTag)
          .sort(),
    ),
  /** The names of the images, sorted. */
  images: (repositoryName: string, filter: object = {}): Step =>
    look(
      'DescribeImages',
      () => ({ repositoryName, filter }),
      (body, world) =>
        list(body, 'imageDetails')
          .map(({ imageDigest }) => world.nameOf(String(imageDigest)))
          .sort(),
    ),
  /** One member of what DescribeImages says of an image. */
  detail: (repositoryName: string, id: string, member: string, filter: object = { imageStatus: 'ANY' }): Step =>
    look(
      'DescribeImages',
      (world) => ({ repositoryName, imageIds: [imageId(world, id)], filter }),
      (body) => list(body, 'imageDetails')[0]?.[member],
    ),
  archive: (repositoryName: string, id: string): Step => storage(repositoryName, id, 'ARCHIVE'),
  restore: (repositoryName: string, id: string): Step => storage(repositoryName, id, 'STANDARD'),
  referrers: (repositoryName: string, subject: string, filter: object = {}): Step =>
    look(
      'ListImageReferrers',
      (world) => ({ repositoryName, subjectId: { imageDigest: world.manifest(subject).digest }, filter }),
      (body, world) =>
        list(body, 'referrers')
          .map(({ digest }) => world.nameOf(String(digest)))
          .sort(),
    ),
  /** `AVAILABLE`, `UNAVAILABLE` or `ARCHIVED`. */
  availability: (repositoryName: string, content: string): Step =>
    look(
      'BatchCheckLayerAvailability',
      () => ({ repositoryName, layerDigests: [sha256(content)] }),
      (body) => list(body, 'layers')[0]?.layerAvailability,
    ),
  /** The bytes behind GetDownloadUrlForLayer. */
  download:
    (repositoryName: string, content: string): Step =>
    async (world) => {
      const answer = await world.call('GetDownloadUrlForLayer', { repositoryName, layerDigest: sha256(content) })
      if (answer.status !== 200) return codeOf(answer)
      const response = await world.registry.send(new Request(String(answer.body.downloadUrl)))
      return response.ok ? response.text() : response.status
    },
  repositories: (): Step =>
    api.see('DescribeRepositories', {}, (body) =>
      list(body, 'repositories').map(({ repositoryName }) => repositoryName),
    ),
}

const storage = (repositoryName: string, id: string, targetStorageClass: string): Step =>
  look(
    'UpdateImageStorageClass',
    (world) => ({ repositoryName, imageId: imageId(world, id), targetStorageClass }),
    () => 'done',
  )
