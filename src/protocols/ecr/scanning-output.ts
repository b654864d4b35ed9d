import type { RegistryScanningConfiguration, ScanningRepositoryFilter } from '@aws-sdk/client-ecr'
import type { ScanConfiguration } from '../../domain/scanning/configuration.ts'

/** ECR's RegistryScanningConfiguration. */
export function scanConfigurationOutput({ type, rules }: ScanConfiguration): RegistryScanningConfiguration {
  return {
    scanType: type,
    rules: rules.map(({ frequency, filters }) => ({
      scanFrequency: frequency,
      repositoryFilters: filtersOutput(filters),
    })),
  }
}

export function filtersOutput(filters: readonly string[]): ScanningRepositoryFilter[] {
  return filters.map((filter) => ({ filter, filterType: 'WILDCARD' }))
}
