import type { EcrOperation } from './operation.ts'
import { parseImageId, placeOf, repositoryRef, wireImageId } from './references.ts'

export const describeImageSigningStatus: EcrOperation<'DescribeImageSigningStatus'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const imageId = parseImageId(input.imageId)
  const { image, signings } = await call.signing.statusOf(call.principal, ref, imageId)
  return {
    ...placeOf(ref),
    imageId: wireImageId({ digest: image.digest, tag: imageId.tag }),
    signingStatuses: signings.map(({ profileArn, status, failure }) => ({
      signingProfileArn: profileArn,
      status,
      failureCode: failure?.code,
      failureReason: failure?.reason,
    })),
  }
}
