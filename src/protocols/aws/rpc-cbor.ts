import { unknownOperation, unsupportedOperation } from '../../domain/errors.ts'
import { Once } from '../../lib/once.ts'
import { awsErrorOf } from '../errors.ts'
import { ClientGone } from '../http/body.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler, RequestContext } from '../http/context.ts'
import type { LargeBodies } from '../http/large-bodies.ts'
import { pathOf } from '../http/router.ts'
import { auditCall, type Told } from './audited-call.ts'
import { authenticate, callOf } from './caller.ts'
import { readCbor, writeCbor, writeCborTexts } from './cbor.ts'
import type { AwsSetting } from './context.ts'
import type { JsonService, LazyJsonService } from './json-rpc.ts'
import { queryErrorOf } from './query-errors.ts'
import { InputParsers } from './validate.ts'

const BODY_BYTES_MAX = 1024 * 1024
const PATH = /^\/service\/([^/]+)\/operation\/([^/]+)$/

interface Served {
  readonly service: JsonService
  readonly parsers: InputParsers
}

/**
 * Answers `POST /service/<service>/operation/<operation>`: Smithy's RPC v2 protocol with CBOR. Throws `ClientGone` only.
 * `bodies` bounds what its inputs take of memory.
 */
export function createRpcCbor(services: readonly LazyJsonService[], setting: AwsSetting, bodies: LargeBodies): Handler {
  const served = new Map(
    services.map(({ targetPrefix, load }) => [
      targetPrefix,
      new Once(async (): Promise<Served> => {
        const service = await load()
        return { service, parsers: new InputParsers(service.model, service.spelling) }
      }),
    ]),
  )
  return async (request, context) => {
    try {
      return await answer(served, setting, bodies, request, context)
    } catch (thrown) {
      return failure(thrown, setting, context)
    }
  }
}

async function answer(
  served: ReadonlyMap<string, Once<Served>>,
  setting: AwsSetting,
  bodies: LargeBodies,
  request: Request,
  context: RequestContext,
): Promise<Response> {
  const [, target = '', name = ''] = PATH.exec(pathOf(request.url)) ?? []
  const { service, parsers } = (await served.get(target)?.get()) ?? {}
  const operation = service?.operations.get(name)
  if (service === undefined || parsers === undefined || operation === undefined) throw unknownOperation()
  const { model } = service
  const circumstances = new RequestCircumstances(request, context)
  const told: Told = { model, operation: name, circumstances }
  const owed = bodies.of(request, BODY_BYTES_MAX, context)
  try {
    const signedBy = await authenticate(request, model, setting, () => owed.read(), context)
    told.region = signedBy.region
    const call = await callOf(signedBy, request, setting, context, circumstances)
    told.call = call
    if (operation === 'unsupported') throw unsupportedOperation(model.metadata.serviceId, name)
    const body = await owed.read()
    const input = parsers.for(name)(body.length === 0 ? {} : readCbor(body))
    told.input = input
    const output = await operation(input, call)
    auditCall(setting, told, { output })
    return respond(200, writeCbor(model, model.operations[name]?.output?.shape, output), context)
  } catch (thrown) {
    auditCall(setting, told, { thrown })
    return failure(thrown, setting, context, service)
  } finally {
    owed.release()
  }
}

function failure(thrown: unknown, setting: AwsSetting, context: RequestContext, service?: JsonService): Response {
  if (thrown instanceof ClientGone) throw thrown
  const { status, isBug, error, ...common } = awsErrorOf(thrown)
  const { code, message } = (error && service?.errorOf?.(error)) ?? common
  if (isBug) setting.report(thrown, context.requestId)
  return respond(status, writeCborTexts({ __type: code, message }), context, {
    'x-amzn-query-error': `${queryErrorOf(thrown).code};${isBug ? 'Receiver' : 'Sender'}`,
  })
}

function respond(
  status: number,
  body: Uint8Array<ArrayBuffer>,
  { requestId }: RequestContext,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      'smithy-protocol': 'rpc-v2-cbor',
      'content-type': 'application/cbor',
      'content-length': String(body.length),
      'x-amzn-RequestId': requestId,
      ...headers,
    },
  })
}
