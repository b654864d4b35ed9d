import { parseDigest } from '../../domain/digest.ts'
import type { Image, ImageReference } from '../../domain/image.ts'
import { MANIFEST_BYTES_MAX } from '../../domain/manifest.ts'
import { parseTag } from '../../domain/names.ts'
import { DROPPED_TAGS } from '../../domain/replication/wire.ts'
import type { PullWish } from '../../services/pull-through/pull-through.ts'
import type { UpstreamManifest } from '../../services/pull-through/upstreams.ts'
import { ensureRepository, queryOf, type RepositoryCall, repositoryUrl } from './call.ts'
import { entityTag, isHeldByClient } from './conditions.ts'
import { type AnswerBody, answer, type HeaderValues } from './responses.ts'

/** `HEAD manifests/<reference>`. Asking is not pulling: no pull time moves. */
export async function headManifest(call: RepositoryCall, operand: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const reference = parseReference(operand)
  const coming = await services.pullThrough.find(principal, ref, reference, pullWish(request))
  if (coming !== undefined) return answerComing(call, coming, null)
  const image = await services.images.stat(principal, ref, reference)
  return answer(context, isHeldByClient(request, image.digest) ? 304 : 200, manifestHeaders(image))
}

/**
 * `GET manifests/<reference>`: the bytes as they were pushed, whatever `Accept` says, since any other would have another
 * digest. A client that holds them already has not pulled.
 */
export async function getManifest(call: RepositoryCall, operand: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const reference = parseReference(operand)
  const coming = await services.pullThrough.find(principal, ref, reference, pullWish(request))
  if (coming !== undefined) return answerComing(call, coming, coming.bytes)
  const isHeld = ({ digest }: Image) => isHeldByClient(request, digest)
  const { image, manifest } = await services.images.pull(principal, ref, reference, isHeld)
  if (isHeld(image)) return answer(context, 304, manifestHeaders(image))
  return answer(context, 200, manifestHeaders(image), manifest as AnswerBody)
}

/** `PUT manifests/<reference>`, with tags as `tag` parameters when it goes by digest (OCI distribution, end-7b). */
export async function putManifest(call: RepositoryCall, operand: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const reference = parseReference(operand)
  const isByTag = 'tag' in reference
  const tags = isByTag ? [reference.tag] : queryOf(request).getAll('tag').map(parseTag)
  const digest = isByTag ? undefined : reference.digest
  const mediaType = request.headers.get('content-type') ?? undefined
  const { image, droppedTags } = await services.bodies.use(request, MANIFEST_BYTES_MAX, context, async (manifest) => {
    await ensureRepository(call)
    return services.images.push(principal, ref, { manifest, mediaType, tags, digest })
  })
  return answer(context, 201, {
    Location: repositoryUrl(call, `manifests/${image.digest}`),
    'Docker-Content-Digest': image.digest,
    [DROPPED_TAGS]: droppedTags.length === 0 ? undefined : droppedTags.join(','),
    'OCI-Subject': image.subject,
    'OCI-Tag': isByTag || tags.length === 0 ? undefined : tags.join(', '),
  })
}

/**
 * `DELETE manifests/<reference>`: a tag goes alone, a digest takes all its tags along. What another registry deletes here,
 * by the header of copies, goes only if it came from there.
 */
export async function deleteManifest(call: RepositoryCall, operand: string): Promise<Response> {
  const { context, services, principal, ref } = call
  const reference = parseReference(operand)
  const source = principal.circumstances.replicatedFrom
  if (source === undefined) await services.imageDeletion.delete(principal, ref, reference)
  else
    await services.replicaDeletion.delete(
      principal,
      ref,
      source,
      'tag' in reference ? { tags: [reference.tag] } : { digest: reference.digest, tags: [] },
    )
  return answer(context, 202)
}

/** Digests hold a colon, tags cannot. Throws `digest-invalid`, `tag-invalid`. */
function parseReference(text: string): ImageReference {
  return text.includes(':') ? { digest: parseDigest(text) } : { tag: parseTag(text) }
}

/** A client that wants to know what holds now says so as HTTP has it; what is cached is then compared. */
function pullWish({ headers }: Request): PullWish {
  return { isRefreshWanted: /(?:^|[\s,])no-cache(?:$|[\s,])/i.test(headers.get('cache-control') ?? '') }
}

/** A manifest whose image is still on its way here. */
function answerComing(
  { request, context }: RepositoryCall,
  { bytes, digest, mediaType = '' }: UpstreamManifest,
  body: Uint8Array | null,
): Response {
  const headers = manifestHeaders({ mediaType, digest, manifestSizeBytes: bytes.byteLength })
  if (isHeldByClient(request, digest)) return answer(context, 304, headers)
  return answer(context, 200, headers, body as AnswerBody)
}

function manifestHeaders(image: Pick<Image, 'mediaType' | 'manifestSizeBytes' | 'digest'>): HeaderValues {
  return {
    'Content-Type': image.mediaType,
    'Content-Length': String(image.manifestSizeBytes),
    'Docker-Content-Digest': image.digest,
    ETag: entityTag(image.digest),
  }
}
