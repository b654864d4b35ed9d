import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { scanConfigurationOutput } from './scanning-output.ts'

export const getRegistryScanningConfiguration: EcrOperation<'GetRegistryScanningConfiguration'> = async (
  _input,
  call,
) => {
  const registry = registryOf(undefined, call)
  const configuration = await call.scanConfigurations.get(call.principal, registry)
  return { registryId: registry.registryId, scanningConfiguration: scanConfigurationOutput(configuration) }
}
