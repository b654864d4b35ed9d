import type { EcrInput, EcrOutput } from '../ecr/operation.ts'
import { uploadLayerPart as ofAnyRegistry } from '../ecr/upload-layer-part.ts'
import type { PublicOperation } from './operation.ts'
import { withRegistryId } from './references.ts'

export const uploadLayerPart: PublicOperation<EcrInput<'UploadLayerPart'>, EcrOutput<'UploadLayerPart'>> = async (
  input,
  call,
) => ofAnyRegistry(await withRegistryId(input, call), call)
