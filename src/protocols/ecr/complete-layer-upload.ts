import { invalidParameter, layerExists } from '../../domain/errors.ts'
import type { EcrOperation } from './operation.ts'
import { parseLayerDigest, placeOf, repositoryRef } from './references.ts'

export const completeLayerUpload: EcrOperation<'CompleteLayerUpload'> = async (input, call) => {
  const { uploadId } = input
  const ref = repositoryRef(input, call)
  const [text = '', ...others] = new Set(input.layerDigests)
  if (others.length > 0) throw invalidParameter('layerDigests', 'An upload is one layer, which has one digest')
  const digest = parseLayerDigest(text, 'layerDigests')
  const { isNew } = await call.uploads.complete(call.principal, ref, uploadId, digest, undefined, true)
  if (!isNew) throw layerExists(digest, ref)
  return { ...placeOf(ref), uploadId, layerDigest: digest }
}
