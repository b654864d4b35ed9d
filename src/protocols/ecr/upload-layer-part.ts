import { invalidParameter } from '../../domain/errors.ts'
import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

/** Only the last part of a layer may be smaller. */
const PART_BYTES_MIN = 5 * 1024 * 1024

export const uploadLayerPart: EcrOperation<'UploadLayerPart'> = async (input, call) => {
  const { uploadId, partFirstByte, partLastByte, layerPartBlob } = input
  const ref = repositoryRef(input, call)
  if (partLastByte < partFirstByte)
    throw invalidParameter('partLastByte', `Member must have value greater than or equal to ${partFirstByte}`)
  const place = {
    firstByte: partFirstByte,
    lengthBytes: partLastByte - partFirstByte + 1,
    bodyBytes: layerPartBlob.length,
    earlierPartBytesMin: PART_BYTES_MIN,
  }
  const sizeBytes = await call.uploads.append(call.principal, ref, uploadId, place, once(layerPartBlob))
  return { ...placeOf(ref), uploadId, lastByteReceived: sizeBytes - 1 }
}

async function* once(bytes: Uint8Array): AsyncIterable<Uint8Array> {
  yield bytes
}
