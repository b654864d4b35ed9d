import type { EcrOperation } from './operation.ts'
import { parseLayerDigest, repositoryRef } from './references.ts'

export const getDownloadUrlForLayer: EcrOperation<'GetDownloadUrlForLayer'> = async (input, call) => {
  const digest = parseLayerDigest(input.layerDigest, 'layerDigest')
  const ticket = await call.layers.ticketFor(call.principal, repositoryRef(input, call), digest)
  return { downloadUrl: call.addresses.layerUrl(digest, ticket, call), layerDigest: digest }
}
