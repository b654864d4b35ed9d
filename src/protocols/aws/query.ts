import { unknownOperation, unsupportedOperation } from '../../domain/errors.ts'
import { Once } from '../../lib/once.ts'
import { refusalHeaders } from '../errors.ts'
import { ClientGone } from '../http/body.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler, RequestContext } from '../http/context.ts'
import { LargeBodies } from '../http/large-bodies.ts'
import { auditCall, type Told } from './audited-call.ts'
import { authenticate, callOf, unsignedCallOf } from './caller.ts'
import type { AwsSetting } from './context.ts'
import type { ServiceModel } from './model.ts'
import type { OperationTable } from './operation-table.ts'
import { queryErrorOf } from './query-errors.ts'
import { queryInput } from './query-input.ts'
import { queryOutput } from './query-output.ts'
import { InputParsers } from './validate.ts'

/** A service that is called with the AWS Query protocol. */
export interface QueryService {
  readonly model: ServiceModel
  readonly operations: OperationTable
}

/** A service that is loaded with the first call to it, not with the process: known by the version of its API. */
export interface LazyQueryService {
  readonly apiVersion: string
  load(): Promise<QueryService>
}

interface Served {
  readonly service: QueryService
  readonly parsers: InputParsers
}

const BODY_MAX_BYTES = 1024 * 1024

/** Answers to clients of no known service carry this name space. */
const COMMON_NAMESPACE = 'http://webservices.amazon.com/AWSFault/2005-15-09'

/**
 * Answers a form body (or, as in pre-signed URLs, a query) with `Action` and `Version`. Throws `ClientGone` only. `bodies`
 * bounds what forms take of memory: anybody may send one, as they say themselves what they ask for.
 */
export function createQuery(
  services: readonly LazyQueryService[],
  setting: AwsSetting,
  bodies = new LargeBodies(),
): Handler {
  const served = new Map(
    services.map(({ apiVersion, load }) => [apiVersion, new Once(async () => serve(await load()))]),
  )
  return async (request, context) => {
    try {
      if (request.method === 'GET') return await answer(served, setting, request, context, new Uint8Array())
      return await bodies.use(request, BODY_MAX_BYTES, context, (body) =>
        answer(served, setting, request, context, body),
      )
    } catch (thrown) {
      return await failure(thrown, setting, context)
    }
  }
}

function serve(service: QueryService): Served {
  return { service, parsers: new InputParsers(service.model) }
}

async function answer(
  served: ReadonlyMap<string, Once<Served>>,
  setting: AwsSetting,
  request: Request,
  context: RequestContext,
  body: Uint8Array,
): Promise<Response> {
  const { search } = new URL(request.url)
  const parameters = new URLSearchParams(body.length === 0 ? search : new TextDecoder().decode(body))
  const action = parameters.get('Action') ?? ''
  const { service, parsers } = (await served.get(parameters.get('Version') ?? '')?.get()) ?? {}
  const operation = service?.operations.get(action)
  if (service === undefined || parsers === undefined || operation === undefined) throw unknownOperation()
  const { model } = service
  const circumstances = new RequestCircumstances(request, context)
  const told: Told = { model, operation: action, circumstances }
  try {
    const unsupported = unsupportedOperation(model.metadata.serviceId, action)
    const isUnsigned = model.operations[action]?.authtype === 'none'
    if (operation === 'unsupported' && isUnsigned) throw unsupported
    if (isUnsigned) told.call = unsignedCallOf(request, context, circumstances)
    else {
      const signedBy = await authenticate(request, model, setting, async () => body, context)
      told.region = signedBy.region
      told.call = await callOf(signedBy, request, setting, context, circumstances)
    }
    if (operation === 'unsupported') throw unsupported
    const input = parsers.for(action)(queryInput(model, action, parameters))
    told.input = input
    const output = await operation(input, told.call)
    auditCall(setting, told, { output })
    return await success(model, action, output, context)
  } catch (thrown) {
    auditCall(setting, told, { thrown })
    return await failure(thrown, setting, context, model.metadata.xmlNamespace)
  }
}

async function success(
  model: ServiceModel,
  action: string,
  output: object,
  context: RequestContext,
): Promise<Response> {
  const { xmlNamespace } = model.metadata
  const wrapper = model.operations[action]?.output?.resultWrapper
  const elements = queryOutput(model, action, output)
  const answer = {
    ...(xmlNamespace === undefined ? {} : { '@xmlns': xmlNamespace }),
    ...(wrapper === undefined ? elements : { [wrapper]: elements }),
    ResponseMetadata: { RequestId: context.requestId },
  }
  return respond(200, { [`${action}Response`]: answer }, context)
}

async function failure(
  thrown: unknown,
  setting: AwsSetting,
  context: RequestContext,
  xmlNamespace: string = COMMON_NAMESPACE,
): Promise<Response> {
  if (thrown instanceof ClientGone) throw thrown
  const { status, code, message, isBug, error: cause } = queryErrorOf(thrown)
  if (isBug) setting.report(thrown, context.requestId)
  const error = { Type: isBug ? 'Receiver' : 'Sender', Code: code, Message: printable(message) }
  return respond(
    status,
    { ErrorResponse: { '@xmlns': xmlNamespace, Error: error, RequestId: context.requestId } },
    context,
    refusalHeaders(cause),
  )
}

/** The library that writes XML is loaded with the first answer, not with the process. */
async function respond(
  status: number,
  document: object,
  { requestId }: RequestContext,
  more: Readonly<Record<string, string>> = {},
): Promise<Response> {
  const { XMLBuilder } = await import('fast-xml-parser')
  const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true })
  const body = new TextEncoder().encode(`${builder.build(document)}\n`)
  return new Response(body, {
    status,
    headers: {
      'content-type': 'text/xml',
      'content-length': String(body.length),
      'x-amzn-RequestId': requestId,
      ...more,
    },
  })
}

/** Without the characters that XML cannot hold. */
function printable(text: string): string {
  return [...text.toWellFormed()].filter(isPrintable).join('')
}

function isPrintable(char: string): boolean {
  return (char >= ' ' || char === '\t' || char === '\n') && char !== '\ufffe' && char !== '\uffff'
}
