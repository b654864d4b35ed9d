import { keyOutput } from './key-output.ts'
import type { KmsOperation } from './operation.ts'

export const describeKey: KmsOperation<'DescribeKey'> = async ({ KeyId, GrantTokens }, call) => ({
  KeyMetadata: keyOutput(await call.keys.describe(call, KeyId, GrantTokens)),
})
