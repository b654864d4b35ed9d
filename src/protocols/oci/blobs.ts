import { type Digest, parseDigest } from '../../domain/digest.ts'
import { isRegistryError, rangeNotSatisfiable, unsupported } from '../../domain/errors.ts'
import type { BlobBody, ByteRange } from '../../stores/blobs.ts'
import type { LinkedBlob } from '../../stores/metadata.ts'
import type { RequestContext } from '../http/context.ts'
import type { RepositoryCall } from './call.ts'
import { entityTag, isHeldByClient, isRangeWanted } from './conditions.ts'
import { parseRange } from './ranges.ts'
import { answer, type HeaderValues } from './responses.ts'

/** What headers say of a blob. */
type BlobSize = Pick<LinkedBlob, 'digest' | 'sizeBytes'>

/** A blob whose bytes can be had once the range is settled. */
export interface ReadableBlob {
  readonly blob: BlobSize
  read(range?: ByteRange): Promise<BlobBody>
}

/** `HEAD blobs/<digest>`: OCI distribution, "Checking if content exists in the registry". */
export async function headBlob(call: RepositoryCall, operand: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const digest = parseDigest(operand)
  const blob = await services.layers.stat(principal, ref, digest).catch(async (thrown: unknown): Promise<BlobSize> => {
    const coming = isMissing(thrown) ? await services.pullThrough.statBlob(principal, ref, digest) : undefined
    if (coming === undefined) throw thrown
    return coming
  })
  return blobHead(request, context, blob)
}

/** `GET blobs/<digest>`, whole or one range. */
export async function getBlob(call: RepositoryCall, operand: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  const digest = parseDigest(operand)
  const blob = await services.layers
    .open(principal, ref, digest)
    .catch(async (thrown: unknown): Promise<ReadableBlob> => {
      const coming = isMissing(thrown) ? await services.pullThrough.openBlob(principal, ref, digest) : undefined
      if (coming === undefined) throw thrown
      return coming
    })
  return blobContent(request, context, blob)
}

/** `DELETE blobs/<digest>`. ECR collects blobs by itself and has no such request. */
export async function deleteBlob(call: RepositoryCall, operand: string): Promise<Response> {
  const { context, services, principal, ref } = call
  if (services.settings.fidelity === 'aws') throw unsupported('Layers cannot be deleted one by one')
  await services.layers.delete(principal, ref, parseDigest(operand))
  return answer(context, 202)
}

/** It may be on its way, or be had from an upstream. */
const isMissing = (thrown: unknown) => isRegistryError(thrown, 'blob-not-found')

/** What HEAD says of a blob. */
export function blobHead(request: Request, context: RequestContext, { digest, sizeBytes }: BlobSize): Response {
  if (isHeldByClient(request, digest)) return notModified(context, digest)
  return answer(context, 200, { ...blobHeaders(digest), 'Content-Length': String(sizeBytes) })
}

/** The bytes of a blob, as far as the client asked for them. Throws `range-not-satisfiable`. */
export async function blobContent(
  request: Request,
  context: RequestContext,
  { blob, read }: ReadableBlob,
): Promise<Response> {
  const { digest, sizeBytes } = blob
  if (isHeldByClient(request, digest)) return notModified(context, digest)
  const range = isRangeWanted(request, digest) ? parseRange(request.headers.get('range'), sizeBytes) : 'whole'
  if (range === 'unsatisfiable') throw rangeNotSatisfiable(sizeBytes)
  if (range === 'whole') {
    const headers = { ...blobHeaders(digest), 'Content-Length': String(sizeBytes) }
    // Read also when there is nothing to send: a blob whose bytes are lost is not an empty one.
    const body = await read()
    return answer(context, 200, headers, sizeBytes === 0 ? null : body)
  }
  const { first, last } = range
  return answer(
    context,
    206,
    {
      ...blobHeaders(digest),
      'Content-Length': String(last - first + 1),
      'Content-Range': `bytes ${first}-${last}/${sizeBytes}`,
    },
    await read(range),
  )
}

function blobHeaders(digest: Digest): HeaderValues {
  return {
    'Accept-Ranges': 'bytes',
    // Without one, Bun would name the file that holds the blob.
    'Content-Disposition': 'attachment',
    'Content-Type': 'application/octet-stream',
    'Docker-Content-Digest': digest,
    ETag: entityTag(digest),
  }
}

function notModified(context: RequestContext, digest: Digest): Response {
  return answer(context, 304, { 'Docker-Content-Digest': digest, ETag: entityTag(digest) })
}
