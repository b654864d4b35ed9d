import type { Repository as WireRepository } from '@aws-sdk/client-ecr'
import { repositoryArn } from '../../domain/arn.ts'
import type { TagMutability } from '../../domain/mutability.ts'
import type { Repository } from '../../domain/repository.ts'
import type { EcrCall } from './operation.ts'
import { placeOf } from './references.ts'

/** ECR's Repository. */
export function repositoryOutput(repository: Repository, call: EcrCall): WireRepository {
  return {
    repositoryArn: repositoryArn(repository),
    ...placeOf(repository),
    repositoryUri: call.addresses.repositoryUri(repository, call),
    createdAt: repository.createdAt,
    ...mutabilityOutput(repository.mutability),
    imageScanningConfiguration: { scanOnPush: repository.isScannedOnPush },
    encryptionConfiguration: encryptionOutput(repository),
  }
}

/** The filters are shown in the modes that have them only. */
export function mutabilityOutput({
  mode,
  exclusionFilters,
}: TagMutability): Pick<WireRepository, 'imageTagMutability' | 'imageTagMutabilityExclusionFilters'> {
  if (exclusionFilters.length === 0) return { imageTagMutability: mode }
  const filters = exclusionFilters.map((filter) => ({ filterType: 'WILDCARD' as const, filter }))
  return { imageTagMutability: mode, imageTagMutabilityExclusionFilters: filters }
}

/** The key always by its ARN, however it was named. */
function encryptionOutput({ encryption }: Repository): NonNullable<WireRepository['encryptionConfiguration']> {
  if (encryption.type === 'AES256') return { encryptionType: encryption.type }
  return { encryptionType: encryption.type, kmsKey: encryption.kmsKeyArn }
}
