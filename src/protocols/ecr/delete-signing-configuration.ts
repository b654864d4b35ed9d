import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { signingConfigurationOutput } from './signing-output.ts'

export const deleteSigningConfiguration: EcrOperation<'DeleteSigningConfiguration'> = async (_input, call) => {
  const registry = registryOf(undefined, call)
  const configuration = await call.signing.deleteConfiguration(call.principal, registry)
  return { registryId: registry.registryId, signingConfiguration: signingConfigurationOutput(configuration) }
}
