import { invalidParameter } from '../../domain/errors.ts'
import type { Inspector, InspectorCaller } from '../../services/scanning/inspector.ts'
import type { SortedFindings } from '../../services/scanning/sorted-findings.ts'
import type { AwsCall } from '../aws/context.ts'
import type { InspectorInputs } from './inputs.ts'

/** What Inspector's operations use. */
export interface InspectorServices {
  readonly inspector: Inspector
  readonly sortedFindings: SortedFindings
}

export type InspectorCall = AwsCall & InspectorServices

/** The handler of one operation: input → service → output. */
export type InspectorOperation<Name extends keyof InspectorInputs> = (
  input: InspectorInputs[Name],
  call: InspectorCall,
) => Promise<object>

/** Who calls what, of the registry that a call is about: the caller's own, in the region of the call. */
export function callerOf({ principal, region }: AwsCall, action: string): InspectorCaller {
  return { principal, action, registry: { registryId: principal.accountId, region } }
}

/** The place that a token tells of; 0 without one. Throws `invalid-parameter` for what no answer has given. */
export function numberIn(token: string | undefined): number {
  if (token === undefined) return 0
  if (!/^[0-9]{1,15}$/.test(token)) throw invalidParameter('nextToken', 'Invalid pagination token')
  return Number(token)
}
