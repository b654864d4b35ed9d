import { parseRegistryId } from '../../../src/domain/names.ts'
import { rootPrincipal } from '../../../src/domain/principal.ts'
import type { AwsSetting } from '../../../src/protocols/aws/context.ts'
import { detachedContext, type RequestContext } from '../../../src/protocols/http/context.ts'
import { KEY, NOW } from './sign.ts'

export const REQUEST_ID = '6f5d6c5c-54a9-4f3e-9d2a-000000000001'

export function requestContext(): RequestContext {
  return detachedContext({ requestId: REQUEST_ID })
}

/** A setting that knows `KEY` alone and collects what is reported to it. */
export function awsSetting(facts: Partial<AwsSetting> = {}): AwsSetting & { readonly reported: readonly unknown[] } {
  const reported: unknown[] = []
  const accountId = parseRegistryId('123456789012')
  return {
    clock: { now: () => NOW },
    profile: 'server',
    callers: {
      findSecrets: async (id) => (id === KEY.accessKeyId ? { secretAccessKey: KEY.secretAccessKey } : undefined),
      identify: async ({ accessKeyId }) => rootPrincipal(accountId, `arn:aws:iam::${accountId}:root`, accessKeyId),
    },
    report: (thrown) => reported.push(thrown),
    reported,
    ...facts,
  }
}
