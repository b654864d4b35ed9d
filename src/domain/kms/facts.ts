import type { MoreFacts } from '../iam/facts.ts'
import type { EncryptionContext } from './encryption-context.ts'

/** What conditions of KMS can ask about a request, beside what all conditions can. */
export interface KeyRequestFacts {
  readonly callerAccount: string
  /** The service that calls for the caller, such as `ecr.eu-west-3.amazonaws.com`. */
  readonly viaService?: string | undefined
  /** Absent for operations that know no context. */
  readonly context?: EncryptionContext | undefined
  /** What one operation adds. */
  readonly own?: MoreFacts | undefined
}

/** Of every key that is made here. */
const ALWAYS: MoreFacts = {
  'kms:customermasterkeyspec': 'SYMMETRIC_DEFAULT',
  'kms:customermasterkeyusage': 'ENCRYPT_DECRYPT',
  'kms:keyorigin': 'AWS_KMS',
  'kms:keyspec': 'SYMMETRIC_DEFAULT',
  'kms:keyusage': 'ENCRYPT_DECRYPT',
  'kms:multiregion': 'false',
  'kms:multiregionkeytype': undefined,
}

/** Those a request has only if its operation says so: absent from all others, not unknown. */
const OF_OPERATIONS: MoreFacts = {
  'kms:bypasspolicylockoutsafetycheck': undefined,
  'kms:datakeypairspec': undefined,
  'kms:encryptionalgorithm': undefined,
  'kms:grantconstrainttype': undefined,
  'kms:granteeprincipal': undefined,
  'kms:grantisforawsresource': undefined,
  'kms:grantoperations': undefined,
  'kms:requestalias': undefined,
  'kms:retiringprincipal': undefined,
  'kms:rotationperiodindays': undefined,
  'kms:schedulekeydeletionpendingwindowindays': undefined,
}

/** The facts of a request to a key, by condition key in lower case. */
export function keyFacts({ callerAccount, viaService, context = {}, own = {} }: KeyRequestFacts): MoreFacts {
  return {
    ...ALWAYS,
    ...OF_OPERATIONS,
    ...contextFacts(context),
    'kms:calleraccount': callerAccount,
    'kms:viaservice': viaService,
    ...own,
  }
}

/** IAM does not tell the cases of keys apart: those that differ by case alone are one key with several values. */
function contextFacts(context: EncryptionContext): MoreFacts {
  const facts: Record<string, readonly string[]> = {}
  for (const [key, value] of Object.entries(context)) {
    const name = `kms:encryptioncontext:${key.toLowerCase()}`
    facts[name] = [...(facts[name] ?? []), value]
  }
  const keys = Object.keys(context)
  return { ...facts, 'kms:encryptioncontextkeys': keys.length === 0 ? undefined : keys }
}
