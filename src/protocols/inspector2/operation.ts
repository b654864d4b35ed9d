import type inspectorModel from '../../../models/inspector2.json'
import { invalidParameter } from '../../domain/errors.ts'
import type { Registry } from '../../domain/names.ts'
import type { Inspector } from '../../services/inspector.ts'
import type { AwsCall } from '../aws/context.ts'

/** What Inspector's operations use. */
export interface InspectorServices {
  readonly inspector: Inspector
}

export type InspectorCall = AwsCall & InspectorServices

/** The handler of one operation: input → service → output. */
export type InspectorOperation<_Name extends keyof typeof inspectorModel.operations, Input> = (
  input: Input,
  call: InspectorCall,
) => Promise<object>

/** The registry that a call is about: the caller's own, in the region of the call. */
export function registryOf({ principal, region }: AwsCall): Registry {
  return { registryId: principal.accountId, region }
}

/** The place that a token tells of; 0 without one. Throws `invalid-parameter` for what no answer has given. */
export function numberIn(token: string | undefined): number {
  if (token === undefined) return 0
  if (!/^[0-9]{1,15}$/.test(token)) throw invalidParameter('nextToken', 'Invalid pagination token')
  return Number(token)
}
