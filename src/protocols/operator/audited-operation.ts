import { isOperatorRead, OPERATOR_SOURCE, operatorEventName } from '../../domain/audit/operator-event.ts'
import { awsErrorOf } from '../errors.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { RequestContext } from '../http/context.ts'
import { pathOf } from '../http/router.ts'
import type { Asked, OperatorServices } from './services.ts'

const VALUE_MAX = 256

/**
 * Writes down what an operator, or whoever took himself for one, had done: `POST /_ecru/admin/token/create` as
 * `AdminTokenCreate`. What it was told stands in the query and is no secret; what it answered may be one.
 */
export function auditOperation(
  request: Request,
  context: RequestContext,
  { setting, defaultRegistry }: OperatorServices,
  { principal, isTrusted = false }: Asked,
  thrown?: unknown,
): void {
  const { audit, clock } = setting
  if (audit === undefined || !audit.isOn || request.method !== 'POST') return
  const { registryId, region } = defaultRegistry
  const command = pathOf(request.url).replace(/^\/_ecru\//, '')
  audit.recordCall({
    at: clock.now(),
    principal,
    circumstances: new RequestCircumstances(request, context),
    eventSource: OPERATOR_SOURCE,
    eventName: operatorEventName(command),
    region,
    requestParameters: parametersOf(request.url),
    error: thrown === undefined ? undefined : errorOf(thrown),
    isReadOnly: isOperatorRead(command),
    // Whoever is unknown has no say about how much is written.
    ownerAccountIds: principal === undefined && !isTrusted ? [] : [registryId],
    decisions: [],
  })
}

function parametersOf(url: string): object | undefined {
  const given = [...new URL(url, 'http://localhost').searchParams]
  if (given.length === 0) return undefined
  return Object.fromEntries(given.map(([name, value]) => [name.slice(0, VALUE_MAX), value.slice(0, VALUE_MAX)]))
}

function errorOf(thrown: unknown): { readonly code: string; readonly message: string } {
  const { code, message } = awsErrorOf(thrown)
  return { code, message }
}
