import { repositoryArn } from '../../domain/arn.ts'
import { parseRepositoryName } from '../../domain/names.ts'
import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { filtersOutput } from './scanning-output.ts'

const NOT_FOUND = 'REPOSITORY_NOT_FOUND'

export const batchGetRepositoryScanningConfiguration: EcrOperation<'BatchGetRepositoryScanningConfiguration'> = async (
  { repositoryNames },
  call,
) => {
  const names = repositoryNames.map(parseRepositoryName)
  const answers = await call.scanConfigurations.ofRepositories(call.principal, registryOf(undefined, call), names)
  return {
    scanningConfigurations: answers.flatMap(({ found }) => {
      if (found === undefined) return []
      const { repository, scanning } = found
      return [
        {
          repositoryArn: repositoryArn(repository),
          repositoryName: repository.name,
          scanOnPush: scanning.isScannedOnPush,
          scanFrequency: scanning.frequency,
          appliedScanFilters: filtersOutput(scanning.appliedFilters),
        },
      ]
    }),
    failures: answers.flatMap(({ name, found }) =>
      found === undefined ? [{ repositoryName: name, failureCode: NOT_FOUND, failureReason: NOT_FOUND } as const] : [],
    ),
  }
}
