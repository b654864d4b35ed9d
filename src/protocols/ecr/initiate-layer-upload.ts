import type { EcrOperation } from './operation.ts'
import { repositoryRef } from './references.ts'

/** The size of the parts that ECR proposes (observed). */
const PART_BYTES = 10 * 1024 * 1024

export const initiateLayerUpload: EcrOperation<'InitiateLayerUpload'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  await call.pushTargets.ensure(call.principal, ref)
  const uploadId = await call.uploads.start(call.principal, ref)
  return { uploadId, partSize: PART_BYTES }
}
