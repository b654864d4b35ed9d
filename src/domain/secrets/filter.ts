import type { ListedSecret } from './secret.ts'

/** One condition of a listing: one of its values must be met. A value behind `!` must not be. */
export interface SecretFilter {
  readonly key: 'all' | 'description' | 'name' | 'owning-service' | 'primary-region' | 'tag-key' | 'tag-value'
  readonly values: readonly string[]
}

/** Whether a secret meets all filters. */
export function meets(listed: ListedSecret, filters: readonly SecretFilter[]): boolean {
  return filters.every(({ key, values }) =>
    values.some((value) =>
      value.startsWith('!') ? !meetsOne(listed, key, value.slice(1)) : meetsOne(listed, key, value),
    ),
  )
}

/** Names and tags begin with the value; descriptions have a word that does, in whatever case. */
function meetsOne(listed: ListedSecret, key: SecretFilter['key'], value: string): boolean {
  const { secret, tags } = listed
  switch (key) {
    case 'name':
      return secret.name.startsWith(value)
    case 'description':
      return words(secret.description).some((word) => word.startsWith(value.toLowerCase()))
    case 'tag-key':
      return tags.some((tag) => tag.key.startsWith(value))
    case 'tag-value':
      return tags.some((tag) => tag.value.startsWith(value))
    // A secret is in one region here, and of no service.
    case 'primary-region':
    case 'owning-service':
      return false
    case 'all':
      return (['name', 'description', 'tag-key', 'tag-value'] as const).some((one) => meetsAny(listed, one, value))
  }
}

function meetsAny(listed: ListedSecret, key: SecretFilter['key'], value: string): boolean {
  const wanted = value.toLowerCase()
  const { secret, tags } = listed
  if (key === 'description') return meetsOne(listed, key, value)
  const texts = key === 'name' ? [secret.name] : tags.map((tag) => (key === 'tag-key' ? tag.key : tag.value))
  return texts.some((text) => words(text).some((word) => word.startsWith(wanted)))
}

function words(text = ''): readonly string[] {
  const lower = text.toLowerCase()
  return [lower, ...lower.split(/[^a-z0-9]+/)]
}
