import { repositoryArn } from '../arn.ts'
import type { Digest } from '../digest.ts'
import type { RepositoryRef, Tag } from '../names.ts'
import type { PullThroughRule } from '../pull-through.ts'
import type { ServiceEvent } from './api-call.ts'

/** The record of an image that came from an upstream, as CloudTrail has what ECR does by itself (event `BatchImportUpstreamImage`). */
export function upstreamImport(
  ref: RepositoryRef,
  { upstreamUrl, prefix }: PullThroughRule,
  image: { readonly tag: Tag | undefined; readonly digest: Digest },
  at: Date,
): ServiceEvent {
  const { registryId: accountId, region } = ref.registry
  const { tag: imageTag, digest: imageDigest } = image
  return {
    at,
    accountId,
    region,
    eventSource: 'ecr.amazonaws.com',
    eventName: 'BatchImportUpstreamImage',
    resources: [repositoryArn(ref)],
    isReadOnly: false,
    details: {
      repositoryName: ref.name,
      ecrRepositoryPrefix: prefix,
      upstreamRegistryUrl: upstreamUrl,
      imageIds: [{ imageDigest, ...(imageTag === undefined ? {} : { imageTag }) }],
    },
  }
}
