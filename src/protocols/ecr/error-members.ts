import type { RegistryError } from '../../domain/errors.ts'
import type { AwsCall } from '../aws/context.ts'

/**
 * InvalidLayerPartException says how far the upload came, so that a client can go on from there; KmsException what KMS
 * said.
 */
export function errorMembers(
  error: RegistryError,
  input: Readonly<Record<string, unknown>>,
  { principal }: AwsCall,
): object {
  const { sizeBytes, kmsError } = error.details
  if (kmsError !== undefined) return { kmsError }
  if (error.code !== 'upload-range-invalid' || typeof sizeBytes !== 'number') return {}
  const { registryId = principal.accountId, repositoryName, uploadId } = input
  // Nothing received: there is no last byte.
  const lastValidByteReceived = sizeBytes === 0 ? undefined : sizeBytes - 1
  return { registryId, repositoryName, uploadId, lastValidByteReceived }
}
