import type { Layer, LayerFailure } from '@aws-sdk/client-ecr'
import type { LayerAvailability } from '../../services/images/layers.ts'
import type { EcrOperation } from './operation.ts'
import { DIGEST_PATTERN, repositoryRef } from './references.ts'

const DIGEST = new RegExp(`^${DIGEST_PATTERN}$`)

export const batchCheckLayerAvailability: EcrOperation<'BatchCheckLayerAvailability'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const answers = await call.layers.availability(call.principal, ref, input.layerDigests)
  return { layers: answers.flatMap(layerOf), failures: answers.flatMap(failureOf) }
}

/** A digest of a good form is answered, known or not, and whatever its algorithm. */
function layerOf({ digest, state = 'UNAVAILABLE', sizeBytes, mediaType }: LayerAvailability): Layer[] {
  if (!DIGEST.test(digest)) return []
  return [
    {
      layerDigest: digest,
      layerAvailability: state,
      layerSize: sizeBytes,
      mediaType,
    },
  ]
}

function failureOf({ digest }: LayerAvailability): LayerFailure[] {
  if (DIGEST.test(digest)) return []
  if (digest === '')
    return [
      {
        layerDigest: digest,
        failureCode: 'MissingLayerDigest',
        failureReason: 'Invalid request parameters: layer digest cannot be empty',
      },
    ]
  return [
    {
      layerDigest: digest,
      failureCode: 'InvalidLayerDigest',
      failureReason: `Invalid request parameters: layer digest should satisfy the regex '${DIGEST_PATTERN}'`,
    },
  ]
}
