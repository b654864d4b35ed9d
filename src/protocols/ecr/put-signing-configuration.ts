import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { signingConfigurationOutput } from './signing-output.ts'

export const putSigningConfiguration: EcrOperation<'PutSigningConfiguration'> = async (input, call) => {
  const configuration = {
    rules: input.signingConfiguration.rules.map(({ signingProfileArn, repositoryFilters }) => ({
      profileArn: signingProfileArn,
      repositoryFilters: repositoryFilters?.map(({ filter }) => filter),
    })),
  }
  await call.signing.putConfiguration(call.principal, registryOf(undefined, call), configuration)
  return { signingConfiguration: signingConfigurationOutput(configuration) }
}
