import { XMLBuilder } from 'fast-xml-parser'
import { unknownOperation, unsupportedOperation } from '../../domain/errors.ts'
import { readBody } from './body.ts'
import type { AwsContext } from './context.ts'
import { type ServiceModel, signingNameOf } from './model.ts'
import type { Operation, OperationTable } from './operation-table.ts'
import { queryErrorOf } from './query-errors.ts'
import { verifySigV4 } from './sigv4/verify.ts'

/** A service that is called with the AWS Query protocol. Its operations take the parameters as they are. */
export interface QueryService {
  readonly model: ServiceModel
  readonly operations: OperationTable
}

/** Answers a form body (or, as in pre-signed URLs, a query) with `Action` and `Version`. Never throws. */
export type Query = (request: Request, context: AwsContext) => Promise<Response>

const BODY_MAX_BYTES = 1024 * 1024

/** Answers to clients of no known service carry this name space. */
const COMMON_NAMESPACE = 'http://webservices.amazon.com/AWSFault/2005-15-09'

const builder = new XMLBuilder({ ignoreAttributes: false, attributeNamePrefix: '@', suppressEmptyNode: true })

export function createQuery(services: readonly QueryService[]): Query {
  return async (request, context) => {
    try {
      return await answer(services, request, context)
    } catch (thrown) {
      return failure(thrown, context)
    }
  }
}

async function answer(services: readonly QueryService[], request: Request, context: AwsContext): Promise<Response> {
  const url = new URL(request.url)
  const body = request.method === 'GET' ? new Uint8Array() : await readBody(request, BODY_MAX_BYTES)
  const parameters = new URLSearchParams(body.length === 0 ? url.search : new TextDecoder().decode(body))
  const action = parameters.get('Action') ?? ''
  const version = parameters.get('Version')
  const service = services.find(({ model }) => model.metadata.apiVersion === version)
  const operation = service?.operations.get(action)
  if (service === undefined || operation === undefined) throw unknownOperation()
  try {
    const output = await perform(service, action, operation, parameters, { request, url, body, context })
    return success(service.model, action, output, context)
  } catch (thrown) {
    return failure(thrown, context, service.model.metadata.xmlNamespace)
  }
}

interface Received {
  readonly request: Request
  readonly url: URL
  readonly body: Uint8Array
  readonly context: AwsContext
}

async function perform(
  { model }: QueryService,
  action: string,
  operation: Operation,
  parameters: URLSearchParams,
  { request, url, body, context }: Received,
): Promise<object> {
  const unsupported = unsupportedOperation(model.metadata.serviceId, action)
  if (operation === 'unsupported' && model.operations[action]?.authtype === 'none') throw unsupported
  const signedBy = await verifySigV4(
    { method: request.method, url, headers: request.headers, body: async () => body },
    (accessKeyId) => context.callers.findSecrets(accessKeyId),
    context.clock.now(),
    { services: [signingNameOf(model)], acceptsUnknownKeys: context.profile === 'dev' },
  )
  if (operation === 'unsupported') throw unsupported
  const principal = await context.callers.identify(signedBy.accessKeyId)
  return operation(parameters, {
    principal,
    region: signedBy.region,
    requestId: context.requestId,
    origin: context.origin,
  })
}

function success(model: ServiceModel, action: string, output: object, context: AwsContext): Response {
  const { xmlNamespace } = model.metadata
  const wrapper = model.operations[action]?.output?.resultWrapper
  const answer = {
    ...(xmlNamespace === undefined ? {} : { '@xmlns': xmlNamespace }),
    ...(wrapper === undefined ? output : { [wrapper]: output }),
    ResponseMetadata: { RequestId: context.requestId },
  }
  return respond(200, { [`${action}Response`]: answer }, context)
}

function failure(thrown: unknown, context: AwsContext, xmlNamespace: string = COMMON_NAMESPACE): Response {
  const { status, code, message, isBug } = queryErrorOf(thrown)
  if (isBug) context.report(thrown, context.requestId)
  const error = { Type: isBug ? 'Receiver' : 'Sender', Code: code, Message: printable(message) }
  return respond(
    status,
    { ErrorResponse: { '@xmlns': xmlNamespace, Error: error, RequestId: context.requestId } },
    context,
  )
}

function respond(status: number, document: object, { requestId }: AwsContext): Response {
  const body = new TextEncoder().encode(`${builder.build(document)}\n`)
  return new Response(body, {
    status,
    headers: { 'content-type': 'text/xml', 'content-length': String(body.length), 'x-amzn-RequestId': requestId },
  })
}

/** Without the characters that XML cannot hold. */
function printable(text: string): string {
  return [...text.toWellFormed()].filter((char) => char >= ' ' && char !== '\ufffe' && char !== '\uffff').join('')
}
