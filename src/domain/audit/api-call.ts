import type { Circumstances, Principal } from '../principal.ts'
import type { DecidedAccess } from './decided-access.ts'

/** A call of an API, or what a client of the registry did that is one. */
export interface ApiCall {
  readonly at: Date
  /** Absent: nobody who is known; what it pretended to be is not written down. */
  readonly principal: Principal | undefined
  /** Where it came from, for whoever has no principal. */
  readonly circumstances: Circumstances
  /** Such as `ecr.amazonaws.com`. */
  readonly eventSource: string
  readonly eventName: string
  readonly region: string
  /** The accounts whose trails tell it, besides the caller's: the owners of what it was about. */
  readonly ownerAccountIds: readonly string[]
  /** Without secrets, as the client would spell it; absent: there were none, or too many to write down. */
  readonly requestParameters?: object | undefined
  /** What a change answered; absent for what only reads. */
  readonly responseElements?: object | undefined
  readonly error?: { readonly code: string; readonly message: string } | undefined
  readonly isReadOnly: boolean
  readonly decisions: readonly DecidedAccess[]
}

/** What the registry did by itself. */
export interface ServiceEvent {
  readonly at: Date
  readonly accountId: string
  readonly region: string
  readonly eventSource: string
  readonly eventName: string
  readonly resources: readonly string[]
  /** Absent: it is told as one that only reads. */
  readonly isReadOnly?: boolean
  readonly details: object
}

/** Takes what is to be remembered. Costs microseconds, and never throws. */
export interface AuditTrail {
  /** False: nothing is written, so nothing needs to be gathered. */
  readonly isOn: boolean
  recordCall(call: ApiCall): void
  recordServiceEvent(event: ServiceEvent): void
}

/** A trail that remembers nothing. */
export const NO_TRAIL: AuditTrail = { isOn: false, recordCall: () => {}, recordServiceEvent: () => {} }

const READS = /^(?:Get|List|Describe|BatchGet|BatchCheck|Lookup|Validate|Simulate|Decode)/

/** What CloudTrail calls a read though its name does not begin like one. */
const OTHER_READS: ReadonlySet<string> = new Set([
  'AssumeRole',
  'AssumeRoleWithWebIdentity',
  'Decrypt',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
])

/** Whether an operation only reads, as CloudTrail sees it. */
export function isReadOnly(operation: string): boolean {
  return READS.test(operation) || OTHER_READS.has(operation)
}
