import type { StringFilter } from './filters.ts'

interface Paged {
  readonly maxResults?: number
  readonly nextToken?: string
}

type Criteria = Readonly<Record<string, readonly StringFilter[] | undefined>>

/** What an aggregation is asked for beside its filters. */
export interface AggregationRequest extends Readonly<Record<string, unknown>> {
  readonly sortBy?: string
  readonly sortOrder?: 'ASC' | 'DESC'
}

/** The inputs of Inspector's operations, once they were validated. */
export interface InspectorInputs {
  readonly BatchGetAccountStatus: { readonly accountIds?: readonly string[] }
  readonly Disable: { readonly accountIds?: readonly string[]; readonly resourceTypes?: readonly string[] }
  readonly Enable: { readonly accountIds?: readonly string[]; readonly resourceTypes: readonly string[] }
  readonly ListCoverage: Paged & { readonly filterCriteria?: Criteria }
  readonly ListCoverageStatistics: { readonly filterCriteria?: Criteria; readonly groupBy?: string }
  readonly ListFindingAggregations: Paged & {
    readonly aggregationType: string
    readonly accountIds?: readonly StringFilter[]
    readonly aggregationRequest?: Readonly<Record<string, AggregationRequest | undefined>>
  }
  readonly ListFindings: Paged & {
    readonly filterCriteria?: Criteria
    readonly sortCriteria?: { readonly field: string; readonly sortOrder: 'ASC' | 'DESC' }
  }
}
