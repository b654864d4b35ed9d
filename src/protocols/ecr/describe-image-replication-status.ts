import type { EcrOperation } from './operation.ts'
import { parseImageId, repositoryRef, wireImageId } from './references.ts'

export const describeImageReplicationStatus: EcrOperation<'DescribeImageReplicationStatus'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const imageId = parseImageId(input.imageId)
  const { image, replications } = await call.replication.statusOf(call.principal, ref, imageId)
  return {
    repositoryName: ref.name,
    imageId: wireImageId({ digest: image.digest, tag: imageId.tag }),
    replicationStatuses: replications.map(({ destination, status, failure }) => ({
      region: destination.region,
      registryId: destination.registryId,
      status,
      // While it is under way, what the last attempt failed for is nobody's failure yet.
      failureCode: status === 'FAILED' ? failure?.code : undefined,
    })),
  }
}
