import { wireTags } from './key-tags.ts'
import type { KmsOperation } from './operation.ts'
import { pagingOf, truncation } from './pages.ts'

export const listResourceTags: KmsOperation<'ListResourceTags'> = async (input, call) => {
  const page = await call.keys.listTags(call, input.KeyId, pagingOf(input, 50))
  return { Tags: wireTags(page.items), ...truncation(page) }
}
