import { parseRegistryId } from '../../../src/domain/names.ts'
import type { AwsContext } from '../../../src/protocols/aws/context.ts'
import { KEY, NOW } from './sign.ts'

/** A context that knows `KEY` alone and collects what is reported to it. */
export function awsContext(facts: Partial<AwsContext> = {}): AwsContext & { readonly reported: readonly unknown[] } {
  const reported: unknown[] = []
  const accountId = parseRegistryId('123456789012')
  return {
    requestId: '6f5d6c5c-54a9-4f3e-9d2a-000000000001',
    clock: { now: () => NOW },
    profile: 'server',
    origin: 'http://localhost:4566',
    callers: {
      findSecrets: async (id) => (id === KEY.accessKeyId ? { secretAccessKey: KEY.secretAccessKey } : undefined),
      identify: async (accessKeyId) => ({
        accountId,
        arn: `arn:aws:iam::${accountId}:root`,
        userId: accountId,
        accessKeyId,
      }),
    },
    report: (thrown) => reported.push(thrown),
    reported,
    ...facts,
  }
}
