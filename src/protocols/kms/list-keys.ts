import { keyArn } from '../../domain/kms/key.ts'
import type { KmsOperation } from './operation.ts'
import { pagingOf, truncation } from './pages.ts'

export const listKeys: KmsOperation<'ListKeys'> = async (input, call) => {
  const page = await call.keys.list(call, pagingOf(input))
  return { Keys: page.items.map((key) => ({ KeyId: key.keyId, KeyArn: keyArn(key) })), ...truncation(page) }
}
