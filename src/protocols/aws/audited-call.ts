import { isReadOnly } from '../../domain/audit/api-call.ts'
import { ownersOf } from '../../domain/audit/owners.ts'
import { awsErrorOf } from '../errors.ts'
import { ClientGone } from '../http/body.ts'
import type { RequestCircumstances } from '../http/circumstances.ts'
import { auditedMembers } from './audited-members.ts'
import type { AwsCall, AwsSetting } from './context.ts'
import type { ServiceModel } from './model.ts'

/** What is known of a call of an AWS API by the time it ends. */
export interface Told {
  readonly model: ServiceModel
  readonly operation: string
  readonly circumstances: RequestCircumstances
  /** Absent: the signature was no good. */
  region?: string
  /** Absent: it could not be read, or was not looked at. */
  input?: Readonly<Record<string, unknown>>
  /** Absent: nobody knows who it was. */
  call?: AwsCall
}

/** Global services, whose records CloudTrail keeps in one region. */
const GLOBAL: ReadonlySet<string> = new Set(['IAM', 'ECR PUBLIC'])
const GLOBAL_REGION = 'us-east-1'

/** Writes down a call that has ended. */
export function auditCall(
  { audit, clock }: AwsSetting,
  { model, operation, circumstances, region = GLOBAL_REGION, input, call }: Told,
  outcome: { readonly output: object } | { readonly thrown: unknown },
): void {
  if (audit === undefined || !audit.isOn || ('thrown' in outcome && outcome.thrown instanceof ClientGone)) return
  const readOnly = isReadOnly(operation)
  const { input: inputShape, output: outputShape } = model.operations[operation] ?? {}
  const isChange = 'output' in outcome && !readOnly
  const { decisions } = circumstances
  audit.recordCall({
    at: clock.now(),
    principal: call?.principal,
    circumstances,
    eventSource: `${model.metadata.endpointPrefix.replace(/^api\./, '')}.amazonaws.com`,
    eventName: operation,
    region: GLOBAL.has(model.metadata.serviceId.toUpperCase()) ? GLOBAL_REGION : region,
    requestParameters: auditedMembers(model, inputShape?.shape, input),
    responseElements: isChange ? auditedMembers(model, outputShape?.shape, outcome.output) : undefined,
    error: 'thrown' in outcome ? errorOf(outcome.thrown) : undefined,
    isReadOnly: readOnly,
    ownerAccountIds: [...new Set([...ownersOf(decisions), ...ownersOf([{ resource: String(input?.RoleArn ?? '') }])])],
    decisions,
  })
}

function errorOf(thrown: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = awsErrorOf(thrown)
  return { code, message }
}
