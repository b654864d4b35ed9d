import { isReadOnly } from '../../domain/audit/api-call.ts'
import { ownersOf } from '../../domain/audit/owners.ts'
import { isPublic } from '../../domain/public-registry.ts'
import { awsErrorOf } from '../errors.ts'
import { ClientGone } from '../http/body.ts'
import { type OciCall, queryOf, type RepositoryCall } from './call.ts'
import type { RouteKind } from './match-route.ts'

/** What a request is as a call of ECR's API, by route and method; a status or an end of an upload is a matter of OCI alone. */
const OPERATIONS: Readonly<Record<RouteKind, Readonly<Record<string, string>>>> = {
  base: {},
  catalog: { GET: 'DescribeRepositories', HEAD: 'DescribeRepositories' },
  blob: { HEAD: 'BatchCheckLayerAvailability', GET: 'GetDownloadUrlForLayer' },
  manifest: { HEAD: 'BatchGetImage', GET: 'BatchGetImage', PUT: 'PutImage', DELETE: 'BatchDeleteImage' },
  referrers: { GET: 'ListImageReferrers', HEAD: 'ListImageReferrers' },
  tags: { GET: 'ListImages', HEAD: 'ListImages' },
  upload: { PATCH: 'UploadLayerPart', PUT: 'CompleteLayerUpload' },
  uploads: { POST: 'InitiateLayerUpload' },
}

/** Answers a request by `answer`, and writes it down once it has ended, whichever way. */
export async function audited(
  call: OciCall | RepositoryCall,
  kind: RouteKind,
  operand: string,
  answer: () => Promise<Response>,
): Promise<Response> {
  try {
    const response = await answer()
    record(call, kind, operand)
    return response
  } catch (thrown) {
    if (!(thrown instanceof ClientGone)) record(call, kind, operand, thrown)
    throw thrown
  }
}

function record(call: OciCall | RepositoryCall, kind: RouteKind, operand: string, thrown?: unknown): void {
  const { registry, circumstances, services } = call
  const audit = services.ociAudit
  if (audit === undefined || !audit.trail.isOn) return
  const eventName = OPERATIONS[kind][call.request.method]
  if (eventName === undefined) return
  const { decisions } = circumstances
  const isOfPublic = isPublic(registry)
  audit.trail.recordCall({
    at: audit.clock.now(),
    principal: call.principal,
    circumstances,
    eventSource: isOfPublic ? 'ecr-public.amazonaws.com' : 'ecr.amazonaws.com',
    eventName,
    region: isOfPublic ? 'us-east-1' : registry.region,
    requestParameters: { registryId: registry.registryId, ...parametersOf(kind, operand, call) },
    error: thrown === undefined ? undefined : errorOf(thrown),
    isReadOnly: isReadOnly(eventName),
    ownerAccountIds: [...new Set([registry.registryId, ...ownersOf(decisions)])],
    decisions,
  })
}

function parametersOf(kind: RouteKind, operand: string, call: OciCall | RepositoryCall): object {
  if (!('ref' in call)) return {}
  const repositoryName = call.ref.name
  const isDigest = operand.includes(':')
  switch (kind) {
    case 'blob':
      return { repositoryName, layerDigest: operand }
    case 'manifest': {
      const imageId = isDigest ? { imageDigest: operand } : { imageTag: operand }
      return call.request.method === 'PUT' ? { repositoryName, ...imageId } : { repositoryName, imageIds: [imageId] }
    }
    case 'referrers':
      return { repositoryName, subjectId: { imageDigest: operand } }
    case 'upload': {
      const digest = queryOf(call.request).get('digest')
      return { repositoryName, uploadId: operand, ...(digest === null ? {} : { layerDigests: [digest.slice(0, 200)] }) }
    }
    default:
      return { repositoryName }
  }
}

function errorOf(thrown: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = awsErrorOf(thrown)
  return { code, message }
}
