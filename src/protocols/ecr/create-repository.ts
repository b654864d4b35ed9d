import { invalidParameter } from '../../domain/errors.ts'
import type { EcrInput, EcrOperation } from './operation.ts'
import { repositoryRef } from './references.ts'
import { repositoryOutput } from './repository-output.ts'
import { resourceTags } from './resource-tags.ts'

export const createRepository: EcrOperation<'CreateRepository'> = async (input, call) => {
  const { imageTagMutability, imageTagMutabilityExclusionFilters: filters, encryptionConfiguration } = input
  refuseUnusedKey(encryptionConfiguration)
  const repository = await call.repositories.create(call.principal, repositoryRef(input, call), {
    // Filters without a mode meet the default mode, which has none.
    mutability: { mode: imageTagMutability ?? 'MUTABLE', exclusionFilters: filters?.map(({ filter }) => filter) },
    isScannedOnPush: input.imageScanningConfiguration?.scanOnPush,
    encryption: encryptionConfiguration && {
      type: encryptionConfiguration.encryptionType,
      kmsKey: encryptionConfiguration.kmsKey,
    },
    tags: resourceTags(input.tags ?? []),
  })
  return { repository: repositoryOutput(repository, call) }
}

function refuseUnusedKey(encryption: EcrInput<'CreateRepository'>['encryptionConfiguration']): void {
  if (encryption?.encryptionType === 'AES256' && encryption.kmsKey !== undefined)
    throw invalidParameter('encryptionConfiguration.kmsKey', 'Member must not be given with encryptionType AES256')
}
