import type { Contents } from './content.ts'
import type { Call, ImageId, Plane, Recorder, StatusFilter } from './operation.ts'
import { describeBatchDelete, describeImages } from './specification.ts'
import { type Answer, type EcrAnswer, Violation, type Wire } from './wire.ts'

const ACCEPT = [
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.docker.distribution.manifest.v2+json',
].join(', ')

/** How often a client asks again while its broken connection is still being read. */
const RESUMES_MAX = 50

/** How answers read in the specification; the rest of an answer's meaning is in its status. */
const OCI_OUTCOMES: Readonly<Record<string, string>> = {
  NAME_UNKNOWN: 'repository-not-found',
  BLOB_UNKNOWN: 'blob-not-found',
  MANIFEST_UNKNOWN: 'image-not-found',
  MANIFEST_BLOB_UNKNOWN: 'referenced-images-not-found',
  TAG_INVALID: 'tag-immutable',
}

const ECR_OUTCOMES: Readonly<Record<string, string>> = {
  RepositoryNotFoundException: 'repository-not-found',
  RepositoryAlreadyExistsException: 'repository-exists',
  RepositoryNotEmptyException: 'repository-not-empty',
  UploadNotFoundException: 'upload-not-found',
  LayerAlreadyExistsException: 'layer-exists',
  LayersNotFoundException: 'layers-not-found',
  ReferencedImagesNotFoundException: 'referenced-images-not-found',
  ImageAlreadyExistsException: 'image-exists',
  ImageTagAlreadyExistsException: 'tag-immutable',
  ImageNotFoundException: 'image-not-found',
  ImageStorageClassUpdateNotSupportedException: 'storage-class-refused',
}

/** What was asked of one repository, recorded; bytes that come back are compared with what they are called at once. */
export class RepositoryClient {
  readonly name: string
  readonly #client: string
  readonly #wire: Wire
  readonly #recorder: Recorder
  readonly #contents: Contents

  constructor(name: string, client: string, wire: Wire, recorder: Recorder, contents: Contents) {
    this.name = name
    this.#client = client
    this.#wire = wire
    this.#recorder = recorder
    this.#contents = contents
  }

  create(mutability: string): Promise<string> {
    return this.#ecr({ kind: 'create-repository', mutability }, 'CreateRepository', { imageTagMutability: mutability })
  }

  delete(isForced: boolean): Promise<string> {
    return this.#ecr({ kind: 'delete-repository', isForced }, 'DeleteRepository', { force: isForced })
  }

  putMutability(mutability: string): Promise<string> {
    const input = { imageTagMutability: mutability }
    return this.#ecr({ kind: 'put-mutability', mutability }, 'PutImageTagMutability', input)
  }

  /** Begins an upload; the address (OCI) or id (ECR) to go on with, when there is one. */
  async startUpload(plane: Plane): Promise<string | undefined> {
    const { location } = await this.#record({ kind: 'start-upload' }, async () => {
      if (plane === 'oci') return begun(await this.#wire.oci('POST', `${this.name}/blobs/uploads/`))
      const answer = await this.#wire.ecr('InitiateLayerUpload', { repositoryName: this.name })
      const upload = answer.output.uploadId as string | undefined
      return { outcome: ecrOutcome(answer), upload, location: upload }
    })
    return location
  }

  /** PATCH; the address for the next request, when it succeeded. */
  async append(location: string, bytes: Uint8Array, how: 'plain' | 'ranged' | 'streamed', offset: number) {
    const { outcome, next } = await this.#patch(location, bytes, how, offset, false)
    return outcome === 'ok' ? next : undefined
  }

  /** Sends half of a PATCH, hangs up, asks how far it came and sends the rest; as `append`. */
  async breakOffAndResume(location: string, bytes: Uint8Array, sentBytes: number): Promise<string | undefined> {
    await this.#wire.breakOff('PATCH', location, bytes, sentBytes)
    for (let attempt = 0; attempt < RESUMES_MAX; attempt++) {
      const last = await this.#lastReceived(location, sentBytes)
      if (last === undefined) return undefined
      // A range that ends at 0 means no byte or one.
      const offset = last === 0 ? attempt % 2 : last + 1
      const { outcome, next } = await this.#patch(location, bytes.subarray(offset), 'ranged', offset, true)
      if (outcome === 'ok') return next
      if (outcome !== 'upload-range-invalid') return undefined
    }
    throw new Violation(`an upload is not where it says it is, ${RESUMES_MAX} times`)
  }

  async uploadPart(upload: string, bytes: Uint8Array, offset: number): Promise<string> {
    return this.#ecr({ kind: 'append', upload }, 'UploadLayerPart', {
      uploadId: upload,
      partFirstByte: offset,
      partLastByte: offset + bytes.length - 1,
      layerPartBlob: Buffer.from(bytes).toString('base64'),
    })
  }

  async complete(location: string, blob: string, rest?: Uint8Array): Promise<string> {
    const call = { kind: 'complete', plane: 'oci', upload: uploadIdOf(location), blob } as const
    const { outcome } = await this.#record(call, async () => {
      const address = `${location}${location.includes('?') ? '&' : '?'}digest=${encodeURIComponent(blob)}`
      const headers = { 'content-type': 'application/octet-stream' }
      const answer = await this.#wire.at('PUT', address, rest === undefined ? {} : { headers, body: rest })
      this.#checkDigest(answer, 201, blob)
      return { outcome: ociOutcome(answer, [201], 'upload-not-found') }
    })
    return outcome
  }

  completeLayer(upload: string, blob: string): Promise<string> {
    const call = { kind: 'complete', plane: 'ecr', upload, blob } as const
    return this.#ecr(call, 'CompleteLayerUpload', { uploadId: upload, layerDigests: [blob] })
  }

  async cancel(location: string): Promise<void> {
    await this.#record({ kind: 'cancel', upload: uploadIdOf(location) }, async () => ({
      outcome: ociOutcome(await this.#wire.at('DELETE', location), [204], 'upload-not-found'),
    }))
  }

  /** Answers where to upload instead, when the mount was refused. */
  async mount(blob: string, source: string, isSourceSure: boolean): Promise<string | undefined> {
    const { location } = await this.#record({ kind: 'mount', blob, isSourceSure }, async () => {
      const path = `${this.name}/blobs/uploads/?mount=${encodeURIComponent(blob)}&from=${encodeURIComponent(source)}`
      const answer = await this.#wire.oci('POST', path)
      if (answer.status === 201) return { outcome: 'ok', upload: undefined, location: undefined }
      const { outcome, upload, location } = begun(answer)
      return { outcome: outcome === 'ok' ? 'refused' : outcome, upload, location }
    })
    return location
  }

  async statBlob(blob: string): Promise<string> {
    const { outcome } = await this.#record({ kind: 'stat-blob', blob }, async () => {
      const answer = await this.#wire.oci('HEAD', `${this.name}/blobs/${blob}`)
      if (answer.status === 200) return { outcome: 'ok' }
      // A HEAD has no body that could say which of the two is missing: ask the other interface.
      return { outcome: await this.#availability(blob) }
    })
    return outcome
  }

  async deleteBlob(blob: string): Promise<void> {
    await this.#record({ kind: 'delete-blob', blob }, async () => ({
      outcome: ociOutcome(await this.#wire.oci('DELETE', `${this.name}/blobs/${blob}`), [202], ''),
    }))
  }

  async putImage(plane: Plane, image: string, tag: string | undefined): Promise<string> {
    const { bytes, mediaType } = this.#contents.manifest(image)
    const call: Call = { kind: 'put-image', plane, image, ...(tag !== undefined && { tag }) }
    if (plane === 'ecr') {
      const input = { imageManifest: bytes.toString(), imageManifestMediaType: mediaType, imageDigest: image }
      return this.#ecr(call, 'PutImage', { ...input, ...(tag !== undefined && { imageTag: tag }) })
    }
    const { outcome } = await this.#record(call, async () => {
      const path = `${this.name}/manifests/${tag ?? image}`
      const answer = await this.#wire.oci('PUT', path, { headers: { 'content-type': mediaType }, body: bytes })
      this.#checkDigest(answer, 201, image)
      return { outcome: ociOutcome(answer, [201], 'layers-not-found') }
    })
    return outcome
  }

  async deleteTag(tag: string): Promise<void> {
    await this.#record({ kind: 'delete-tag', tag }, async () => ({
      outcome: ociOutcome(await this.#wire.oci('DELETE', `${this.name}/manifests/${tag}`), [202], ''),
    }))
  }

  async deleteImage(image: string): Promise<void> {
    await this.#record({ kind: 'delete-image', image }, async () => {
      const answer = await this.#wire.oci('DELETE', `${this.name}/manifests/${image}`)
      return { outcome: answer.status === 405 ? 'image-referenced' : ociOutcome(answer, [202], '') }
    })
  }

  async batchDelete(ids: readonly ImageId[]): Promise<void> {
    await this.#record({ kind: 'batch-delete', ids }, async () => {
      const imageIds = ids.map(({ digest, tag }) => ({ imageDigest: digest, imageTag: tag }))
      const answer = await this.#wire.ecr('BatchDeleteImage', { repositoryName: this.name, imageIds })
      if (answer.error !== undefined) return { outcome: ecrOutcome(answer) }
      const { imageIds: deleted, failures } = answer.output as unknown as BatchDeleteOutput
      const gone = deleted.map(({ imageDigest, imageTag }) => `${imageTag ?? ''}=${imageDigest}`)
      return { outcome: describeBatchDelete([...gone, ...failures.map(({ failureCode }) => failureCode)]) }
    })
  }

  /** The digest that the tag names, its bytes verified. */
  async getTag(tag: string): Promise<string> {
    const { outcome } = await this.#record({ kind: 'get-tag', tag }, async () => {
      const answer = await this.#wire.oci('GET', `${this.name}/manifests/${tag}`, { headers: { accept: ACCEPT } })
      if (answer.status !== 200) return { outcome: ociOutcome(answer, [], '') }
      const digest = answer.headers.get('docker-content-digest') ?? ''
      this.#checkManifest(digest, answer.bytes)
      return { outcome: digest }
    })
    return outcome
  }

  async getImage(image: string): Promise<string> {
    const { outcome } = await this.#record({ kind: 'get-image', image }, async () => {
      const answer = await this.#wire.oci('GET', `${this.name}/manifests/${image}`, { headers: { accept: ACCEPT } })
      if (answer.status === 200) this.#checkManifest(image, answer.bytes)
      return { outcome: ociOutcome(answer, [200], '') }
    })
    return outcome
  }

  /** Pulls a blob, by either interface; absence is nothing to complain of here. */
  async pullBlob(plane: Plane, blob: string): Promise<void> {
    if (plane === 'oci') {
      const answer = await this.#wire.oci('GET', `${this.name}/blobs/${blob}`)
      if (answer.status === 200) this.#checkBlob(blob, answer.bytes)
      return
    }
    const input = { repositoryName: this.name, layerDigest: blob }
    const { error, output } = await this.#wire.ecr('GetDownloadUrlForLayer', input)
    if (error !== undefined) return
    const answer = await this.#wire.download(String(output.downloadUrl))
    if (answer.status === 200) this.#checkBlob(blob, answer.bytes)
  }

  async archive(image: string): Promise<void> {
    await this.#updateStorageClass({ kind: 'archive', image }, 'ARCHIVE')
  }

  async restore(image: string): Promise<void> {
    await this.#updateStorageClass({ kind: 'restore', image }, 'STANDARD')
  }

  async listImages(status: StatusFilter): Promise<void> {
    await this.#record({ kind: 'list-images', status }, async () => {
      const input = { repositoryName: this.name, maxResults: 1000, filter: { imageStatus: status } }
      const answer = await this.#wire.ecr('ListImages', input)
      if (answer.error !== undefined) return { outcome: ecrOutcome(answer) }
      const ids = answer.output.imageIds as readonly { imageDigest: string; imageTag?: string }[]
      const tags = new Map<string, string>()
      for (const { imageDigest, imageTag } of ids) if (imageTag !== undefined) tags.set(imageTag, imageDigest)
      return { outcome: describeImages({ images: new Set(ids.map(({ imageDigest }) => imageDigest)), tags }) }
    })
  }

  async listReferrers(subject: string): Promise<void> {
    await this.#record({ kind: 'list-referrers', subject }, async () => {
      const answer = await this.#wire.oci('GET', `${this.name}/referrers/${subject}`)
      if (answer.status !== 200) return { outcome: ociOutcome(answer, [], '') }
      const { manifests } = JSON.parse(answer.bytes.toString()) as { manifests: readonly { digest: string }[] }
      return {
        outcome: manifests
          .map(({ digest }) => digest)
          .sort()
          .join(' '),
      }
    })
  }

  async #patch(
    location: string,
    bytes: Uint8Array,
    how: 'plain' | 'ranged' | 'streamed',
    offset: number,
    isResumed: boolean,
  ): Promise<{ readonly outcome: string; readonly next: string }> {
    const headers = {
      'content-type': 'application/octet-stream',
      ...(how === 'ranged' && { 'content-range': `${offset}-${offset + bytes.length - 1}` }),
    }
    const body = how === 'streamed' ? new Blob([new Uint8Array(bytes)]).stream() : bytes
    return this.#record({ kind: 'append', upload: uploadIdOf(location), isResumed }, async () => {
      const answer = await this.#wire.at('PATCH', location, { headers, body })
      const outcome =
        answer.status === 416 ? 'upload-range-invalid' : ociOutcome(answer, [201, 202], 'upload-not-found')
      return { outcome, next: answer.headers.get('location') ?? location }
    })
  }

  /** The last byte that the status of an upload tells; undefined when there is none. */
  async #lastReceived(location: string, sentBytes: number): Promise<number | undefined> {
    const { outcome, headers } = await this.#record({ kind: 'append', upload: uploadIdOf(location) }, async () => {
      const answer = await this.#wire.at('GET', location)
      return { outcome: ociOutcome(answer, [204], 'upload-not-found'), headers: answer.headers }
    })
    if (outcome !== 'ok') return undefined
    const last = Number(/^0-(\d+)$/.exec(headers.get('range') ?? '')?.[1] ?? 'NaN')
    if (!Number.isInteger(last) || last >= sentBytes)
      throw new Violation(`the status of an upload says ${headers.get('range')} after ${sentBytes} bytes`)
    return last
  }

  #updateStorageClass(call: Extract<Call, { kind: 'archive' | 'restore' }>, targetStorageClass: string) {
    return this.#ecr(call, 'UpdateImageStorageClass', { imageId: { imageDigest: call.image }, targetStorageClass })
  }

  #record<T extends { readonly outcome: string; readonly upload?: string | undefined }>(
    call: Call,
    work: () => Promise<T>,
  ): Promise<T> {
    return this.#recorder.record(this.#client, this.name, call, work)
  }

  async #ecr(call: Call, operation: string, input: object): Promise<string> {
    const { outcome } = await this.#record(call, async () => ({
      outcome: ecrOutcome(await this.#wire.ecr(operation, { repositoryName: this.name, ...input })),
    }))
    return outcome
  }

  async #availability(blob: string): Promise<string> {
    const input = { repositoryName: this.name, layerDigests: [blob] }
    const answer = await this.#wire.ecr('BatchCheckLayerAvailability', input)
    if (answer.error !== undefined) return ecrOutcome(answer)
    const [layer] = answer.output.layers as readonly { layerAvailability: string }[]
    return layer?.layerAvailability === 'UNAVAILABLE' ? 'blob-not-found' : 'ok'
  }

  #checkDigest(answer: Answer, status: number, digest: string): void {
    const named = answer.headers.get('docker-content-digest')
    if (answer.status === status && named !== digest)
      throw new Violation(`${this.name}: ${digest} was pushed, the answer says ${named}`)
  }

  #checkManifest(digest: string, bytes: Buffer): void {
    if (!this.#contents.manifest(digest).bytes.equals(bytes))
      throw new Violation(`${this.name}: manifest ${this.#contents.nameOf(digest)} (${digest}) came with other bytes`)
  }

  #checkBlob(digest: string, bytes: Buffer): void {
    if (!this.#contents.blob(digest).bytes.equals(bytes))
      throw new Violation(
        `${this.name}: blob ${this.#contents.nameOf(digest)} (${digest}) came with other bytes: ${bytes.length} of ${this.#contents.blob(digest).bytes.length}`,
      )
  }
}

interface BatchDeleteOutput {
  readonly imageIds: readonly { readonly imageDigest: string; readonly imageTag?: string }[]
  readonly failures: readonly { readonly failureCode: string }[]
}

function begun(answer: Answer) {
  const location = answer.headers.get('location') ?? undefined
  const outcome = ociOutcome(answer, [202], '')
  if (outcome === 'ok' && location === undefined) throw new Violation('an upload began without a Location')
  return { outcome, location, upload: location && uploadIdOf(location) }
}

function uploadIdOf(location: string): string {
  return new URL(location, 'http://127.0.0.1').pathname.split('/').at(-1) ?? ''
}

/** `uploadUnknown`: what BLOB_UPLOAD_UNKNOWN, which ECR uses for two things, means for this request. */
function ociOutcome({ status, bytes }: Answer, good: readonly number[], uploadUnknown: string): string {
  if (good.includes(status)) return 'ok'
  if (status === 409) return 'upload-busy'
  const code = /"code":\s*"(\w+)"/.exec(bytes.toString())?.[1] ?? ''
  if (code === 'BLOB_UPLOAD_UNKNOWN' && uploadUnknown !== '') return uploadUnknown
  if (code === 'UNSUPPORTED') return 'unsupported'
  return OCI_OUTCOMES[code] ?? `${status} ${bytes.toString().slice(0, 300)}`
}

function ecrOutcome({ error, output }: EcrAnswer): string {
  if (error === undefined) return 'ok'
  return ECR_OUTCOMES[error] ?? `${error} ${JSON.stringify(output).slice(0, 300)}`
}
