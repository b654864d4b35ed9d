import type { SecretsOperation } from './operation.ts'
import { secretOutput, stagesOutput } from './secret-output.ts'

const PAGE_ITEMS = 100

export const listSecrets: SecretsOperation<'ListSecrets'> = async (input, call) => {
  const page = await call.secrets.list(call, {
    limit: input.MaxResults ?? PAGE_ITEMS,
    token: input.NextToken,
    filters: (input.Filters ?? []).map(({ Key = 'all', Values = [] }) => ({ key: Key, values: Values })),
    includesDeleted: input.IncludePlannedDeletion ?? false,
    order: input.SortBy ?? 'created-date',
    isDescending: input.SortOrder === 'desc',
  })
  const list = page.items.map((item) => ({ ...secretOutput(item), SecretVersionsToStages: stagesOutput(item) }))
  return { SecretList: list, NextToken: page.nextToken }
}
