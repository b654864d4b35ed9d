import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { scanConfigurationOutput } from './scanning-output.ts'

export const putRegistryScanningConfiguration: EcrOperation<'PutRegistryScanningConfiguration'> = async (
  { scanType = 'BASIC', rules = [] },
  call,
) => {
  const configuration = {
    type: scanType,
    rules: rules.map(({ scanFrequency, repositoryFilters }) => ({
      frequency: scanFrequency,
      filters: repositoryFilters.map(({ filter }) => filter),
    })),
  }
  await call.scanConfigurations.put(call.principal, registryOf(undefined, call), configuration)
  return { registryScanningConfiguration: scanConfigurationOutput(configuration) }
}
