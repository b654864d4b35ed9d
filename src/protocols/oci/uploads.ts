import { type Digest, parseDigest } from '../../domain/digest.ts'
import { digestInvalid } from '../../domain/errors.ts'
import { isRepositoryName, type RepositoryRef } from '../../domain/names.ts'
import type { PartPlace } from '../../services/images/uploads.ts'
import { contentLength, uploadBody } from '../http/body.ts'
import { addressOf, ensureRepository, queryOf, type RepositoryCall, repositoryUrl } from './call.ts'
import { parsePartRange, receivedRange } from './ranges.ts'
import { answer } from './responses.ts'

/**
 * `POST blobs/uploads/`: begins an upload, or with `mount` takes the blob over from another repository, or with `digest`
 * takes the whole blob at once (OCI distribution, "Pushing blobs").
 */
export async function startUpload(call: RepositoryCall): Promise<Response> {
  const { request, services } = call
  const query = queryOf(request)
  const mount = query.get('mount')
  const digest = query.get('digest')
  const mountDigest = mount === null ? undefined : parseDigest(mount)
  const wholeDigest = digest === null ? undefined : parseDigest(digest)
  await ensureRepository(call)
  if (mountDigest !== undefined) {
    const isMounted = await mountBlob(call, mountDigest, query.get('from'))
    return isMounted ? created(call, mountDigest) : begun(call)
  }
  // ECR begins a session and leaves the body unread.
  if (wholeDigest === undefined || services.settings.fidelity === 'aws') return begun(call)
  return pushWhole(call, wholeDigest)
}

/** `GET blobs/uploads/<id>`: how much has arrived. */
export async function uploadStatus(call: RepositoryCall, uploadId: string): Promise<Response> {
  const { services, principal, ref } = call
  return progress(call, 204, uploadId, await services.uploads.status(principal, ref, uploadId))
}

/** `PATCH blobs/uploads/<id>`: appends a chunk, or a stream of any length. ECR answers 201 where OCI wants 202. */
export async function appendToUpload(call: RepositoryCall, uploadId: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const place = partPlace(call)
  const body = uploadBody(request, context)
  const sizeBytes = await services.uploads.append(principal, ref, uploadId, place, body)
  return progress(call, services.settings.fidelity === 'aws' ? 201 : 202, uploadId, sizeBytes)
}

/** `PUT blobs/uploads/<id>?digest=`: takes the last (or only) chunk, if there is one, and makes the blob. */
export async function completeUpload(call: RepositoryCall, uploadId: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const text = queryOf(request).get('digest')
  if (text === null) throw digestInvalid('')
  const digest = parseDigest(text)
  const place = partPlace(call)
  const hasBody = request.body !== null && contentLength(request) !== 0
  const last = hasBody || place.firstByte !== undefined ? { place, body: uploadBody(request, context) } : undefined
  // ECR knows no layers without bytes.
  await services.uploads.complete(principal, ref, uploadId, digest, last, services.settings.fidelity === 'aws')
  return created(call, digest)
}

/** `DELETE blobs/uploads/<id>`: the client gives up. */
export async function cancelUpload(call: RepositoryCall, uploadId: string): Promise<Response> {
  const { context, services, principal, ref } = call
  await services.uploads.cancel(principal, ref, uploadId)
  return answer(context, 204)
}

async function mountBlob(call: RepositoryCall, digest: Digest, from: string | null): Promise<boolean> {
  const { services, principal, ref, wireName } = call
  const place = wireName.slice(0, wireName.length - ref.name.length)
  const name = from?.startsWith(place) ? from.slice(place.length) : ''
  // A source that cannot exist is one that has not got the blob: never an error (OCI distribution, "Mounting a blob").
  if (from !== null && !isRepositoryName(name)) return false
  const source: RepositoryRef | undefined = isRepositoryName(name) ? { registry: ref.registry, name } : undefined
  return services.layers.mount(principal, ref, digest, source)
}

/** The whole blob in one request. An upload that fails leaves nothing behind: the client never learnt its id. */
async function pushWhole(call: RepositoryCall, digest: Digest): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const uploadId = await services.uploads.start(principal, ref)
  const place = { earlierPartBytesMin: services.settings.layerPartBytesMin }
  try {
    const body = uploadBody(request, context)
    await services.uploads.complete(principal, ref, uploadId, digest, { place, body })
  } catch (thrown) {
    await services.uploads.cancel(principal, ref, uploadId).catch(() => undefined)
    throw thrown
  }
  return created(call, digest)
}

function partPlace({ request, services }: RepositoryCall): PartPlace {
  const part = parsePartRange(request.headers.get('content-range'), contentLength(request))
  return { ...part, earlierPartBytesMin: services.settings.layerPartBytesMin }
}

async function begun(call: RepositoryCall): Promise<Response> {
  const { context, services, principal, ref } = call
  const uploadId = await services.uploads.start(principal, ref)
  const chunkMin = services.settings.layerPartBytesMin
  return answer(context, 202, {
    Location: repositoryUrl(call, `blobs/uploads/${uploadId}`),
    'Docker-Upload-UUID': uploadId,
    Range: receivedRange(0),
    'OCI-Chunk-Min-Length': chunkMin > 0 ? String(chunkMin) : undefined,
  })
}

function progress({ request, context }: RepositoryCall, status: number, uploadId: string, sizeBytes: number): Response {
  return answer(context, status, {
    Location: addressOf(request),
    'Docker-Upload-UUID': uploadId,
    Range: receivedRange(sizeBytes),
  })
}

function created(call: RepositoryCall, digest: Digest): Response {
  return answer(call.context, 201, {
    Location: repositoryUrl(call, `blobs/${digest}`),
    'Docker-Content-Digest': digest,
  })
}
