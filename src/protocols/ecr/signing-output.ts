import type { SigningConfiguration as WireConfiguration } from '@aws-sdk/client-ecr'
import type { SigningConfiguration } from '../../domain/signing/configuration.ts'

/** ECR's SigningConfiguration. */
export function signingConfigurationOutput({ rules }: SigningConfiguration): WireConfiguration {
  return {
    rules: rules.map(({ profileArn, repositoryFilters }) => ({
      signingProfileArn: profileArn,
      repositoryFilters: repositoryFilters?.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' })),
    })),
  }
}
