import type { EcrOperation } from './operation.ts'
import { parseImageId, placeOf, repositoryRef, wireImageId } from './references.ts'

export const startImageScan: EcrOperation<'StartImageScan'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const imageId = parseImageId(input.imageId)
  const digest = await call.imageScans.start(call.principal, ref, imageId)
  return {
    ...placeOf(ref),
    imageId: wireImageId({ digest, tag: imageId.tag }),
    imageScanStatus: { status: 'IN_PROGRESS' },
  }
}
