/** Where Inspector's operations are, beside its model so that a start need not read that. */
export const INSPECTOR_PATHS: ReadonlyMap<string, string> = new Map([
  ['/coverage/list', 'ListCoverage'],
  ['/coverage/statistics/list', 'ListCoverageStatistics'],
  ['/disable', 'Disable'],
  ['/enable', 'Enable'],
  ['/findings/aggregation/list', 'ListFindingAggregations'],
  ['/findings/list', 'ListFindings'],
  ['/status/batch/get', 'BatchGetAccountStatus'],
])
