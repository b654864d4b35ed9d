import type { Fact, Facts } from '../iam/conditions.ts'
import type { EncryptionContext } from './encryption-context.ts'

/** What conditions of KMS can ask about a request, beside what all conditions can. */
export interface KeyRequestFacts {
  readonly callerAccount: string
  /** The service that calls for the caller, such as `ecr.eu-west-3.amazonaws.com`. */
  readonly viaService?: string | undefined
  /** Absent for operations that know no context. */
  readonly context?: EncryptionContext | undefined
  /** What one operation adds, by condition key in lower case. */
  readonly own?: Readonly<Record<string, string | undefined>> | undefined
}

const CONTEXT = 'kms:encryptioncontext:'

/** Of every key that is made here. */
const ALWAYS: Readonly<Record<string, string>> = {
  'kms:keyorigin': 'AWS_KMS',
  'kms:keyspec': 'SYMMETRIC_DEFAULT',
  'kms:customermasterkeyspec': 'SYMMETRIC_DEFAULT',
  'kms:keyusage': 'ENCRYPT_DECRYPT',
  'kms:customermasterkeyusage': 'ENCRYPT_DECRYPT',
  'kms:multiregion': 'false',
}

/** Those a request has only if its operation says so: absent from all others, not unknown. */
const OF_OPERATIONS: ReadonlySet<string> = new Set([
  'kms:bypasspolicylockoutsafetycheck',
  'kms:encryptionalgorithm',
  'kms:grantconstrainttype',
  'kms:granteeprincipal',
  'kms:grantisforawsresource',
  'kms:requestalias',
  'kms:retiringprincipal',
  'kms:rotationperiodindays',
  'kms:schedulekeydeletionpendingwindowindays',
])

/** The facts of a request to a key; what KMS does not know is asked of `others`. */
export function keyFacts({ callerAccount, viaService, context, own = {} }: KeyRequestFacts, others: Facts): Facts {
  return (key) => {
    if (!key.startsWith('kms:')) return others(key)
    if (key.startsWith(CONTEXT)) return contextFact(context ?? {}, key.slice(CONTEXT.length))
    if (key === 'kms:calleraccount') return { value: callerAccount }
    if (key === 'kms:viaservice') return { value: viaService }
    if (Object.hasOwn(ALWAYS, key)) return { value: ALWAYS[key] }
    return Object.hasOwn(own, key) || OF_OPERATIONS.has(key) ? { value: own[key] } : 'unknown'
  }
}

/** IAM does not tell the cases of keys apart; where two differ by case alone, nobody can say which one is meant. */
function contextFact(context: EncryptionContext, wanted: string): Fact {
  const found = Object.entries(context).filter(([key]) => key.toLowerCase() === wanted)
  return found.length > 1 ? 'unknown' : { value: found[0]?.[1] }
}
