import { type RegistryError, requestMalformed, unknownOperation, unsupportedOperation } from '../../domain/errors.ts'
import { Once } from '../../lib/once.ts'
import { awsErrorOf, refusalHeaders } from '../errors.ts'
import { ClientGone } from '../http/body.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler, RequestContext } from '../http/context.ts'
import { LargeBodies } from '../http/large-bodies.ts'
import { auditCall, type Told } from './audited-call.ts'
import { bodyLimitBytes } from './body-limit.ts'
import { authenticate, callOf } from './caller.ts'
import type { AwsCall, AwsSetting } from './context.ts'
import { toWire } from './json-wire.ts'
import type { Spelling } from './member-path.ts'
import type { ServiceModel } from './model.ts'
import type { OperationTable } from './operation-table.ts'
import { queryErrorOf } from './query-errors.ts'
import { type InputParser, InputParsers } from './validate.ts'

/** A service that is called with AWS JSON 1.1. */
export interface JsonService {
  readonly model: ServiceModel
  readonly operations: OperationTable
  /** How its error texts spell some members. */
  readonly spelling?: Spelling
  /** What it calls an error otherwise than ECR does; `undefined`: the same. */
  errorOf?(error: RegistryError): { readonly code: string; readonly message: string } | undefined
  /** Members of its exceptions that the error's own details do not have. */
  errorMembers?(error: RegistryError, input: Readonly<Record<string, unknown>>, call: AwsCall): object
}

/** A service that is loaded with the first call to it, not with the process: known by the prefix of its targets. */
export interface LazyJsonService {
  readonly targetPrefix: string
  load(): Promise<JsonService>
}

export interface Served {
  readonly service: JsonService
  readonly parserOf: (operation: string) => InputParser
}

/** Answers `POST /` with an `X-Amz-Target`: the AWS JSON 1.1 protocol. Throws `ClientGone` only. `bodies` bounds what its inputs take of memory. */
export function createJsonRpc(
  services: readonly LazyJsonService[],
  setting: AwsSetting,
  bodies = new LargeBodies(),
): Handler {
  const served = new Map(
    services.map(({ targetPrefix, load }) => [targetPrefix, new Once(async () => serve(await load()))]),
  )
  const locate: Locate = async (request) => {
    const [prefix, operation] = splitTarget(request.headers.get('x-amz-target') ?? '')
    const found = await served.get(prefix)?.get()
    return found && { ...found, operation }
  }
  return createJsonHandler(locate, 'application/x-amz-json-1.1', setting, bodies)
}

/** Which operation of which service a request calls; `undefined`: of none. */
export type Locate = (request: Request) => Promise<(Served & { readonly operation: string }) | undefined>

/** Answers calls whose inputs and outputs are JSON documents, wherever the operation's name stands. Throws `ClientGone` only. */
export function createJsonHandler(
  locate: Locate,
  mediaType: string,
  setting: AwsSetting,
  bodies: LargeBodies,
): Handler {
  return async (request, context) => {
    const wire = { mediaType, context }
    try {
      return await answer(await locate(request), wire, setting, bodies, request)
    } catch (thrown) {
      return failure(thrown, setting, wire)
    }
  }
}

/** What every answer to a request has. */
interface Wire {
  readonly mediaType: string
  readonly context: RequestContext
}

export function serve(service: JsonService): Served {
  const parsers = new InputParsers(service.model, service.spelling)
  return { service, parserOf: (operation) => parsers.for(operation) }
}

async function answer(
  located: Awaited<ReturnType<Locate>>,
  wire: Wire,
  setting: AwsSetting,
  bodies: LargeBodies,
  request: Request,
): Promise<Response> {
  const operation = located?.service.operations.get(located.operation)
  if (located === undefined || operation === undefined) throw unknownOperation()
  const { service, parserOf, operation: name } = located
  const { context } = wire

  const circumstances = new RequestCircumstances(request, context)
  const told: Told = { model: service.model, operation: name, circumstances }
  const body = bodies.of(request, bodyLimitBytes(service.model, name), context)
  try {
    const signedBy = await authenticate(request, service.model, setting, () => body.read(), context)
    told.region = signedBy.region
    const call = await callOf(signedBy, request, setting, context, circumstances)
    told.call = call
    if (operation === 'unsupported') throw unsupportedOperation(service.model.metadata.serviceId, name)

    const json = parseJson(await body.read())
    body.drop()
    const input = parserOf(name)(json)
    told.input = input
    const output = await operation(input, call)
    auditCall(setting, told, { output })
    return respond(200, output, wire, typeOf(service.model))
  } catch (thrown) {
    auditCall(setting, told, { thrown })
    const { call, input } = told
    return failure(thrown, setting, wire, service, (error) => ({
      ...membersOf(service.model, error),
      ...(call === undefined || input === undefined ? {} : service.errorMembers?.(error, input, call)),
    }))
  } finally {
    body.release()
  }
}

/** `Prefix.Operation`; a prefix may hold dots. */
function splitTarget(target: string): readonly [prefix: string, operation: string] {
  const dot = target.lastIndexOf('.')
  return [target.slice(0, Math.max(dot, 0)), target.slice(dot + 1)]
}

/** An empty body is an empty input. */
function parseJson(body: Uint8Array): unknown {
  if (body.length === 0) return {}
  try {
    // The decoder drops a byte order mark.
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body))
  } catch (cause) {
    if (cause instanceof SyntaxError || cause instanceof TypeError || cause instanceof RangeError)
      throw requestMalformed('The request body is not valid JSON')
    throw cause
  }
}

/** The details of an error that its exception in the model has members for. */
function membersOf(model: ServiceModel, error: RegistryError): object {
  const members = model.shapes[awsErrorOf(error).code]?.members ?? {}
  return Object.fromEntries(
    Object.entries(error.details).filter(([name]) => name !== 'message' && Object.hasOwn(members, name)),
  )
}

function failure(
  thrown: unknown,
  setting: AwsSetting,
  wire: Wire,
  service?: JsonService,
  extraMembers?: (error: RegistryError) => object,
): Response {
  if (thrown instanceof ClientGone) throw thrown
  const { status, isBug, error, ...common } = awsErrorOf(thrown)
  const { code, message } = (error && service?.errorOf?.(error)) ?? common
  if (isBug) setting.report(thrown, wire.context.requestId)
  const members = error === undefined ? {} : extraMembers?.(error)
  return respond(status, { __type: code, message, ...members }, wire, {
    ...(service === undefined ? {} : typeOf(service.model)),
    'x-amzn-ErrorType': code,
    ...(service?.model.metadata.awsQueryCompatible === undefined
      ? {}
      : { 'x-amzn-query-error': `${queryErrorOf(thrown).code};${isBug ? 'Receiver' : 'Sender'}` }),
    ...refusalHeaders(error),
  })
}

/** Some services speak another version of AWS JSON than most. */
function typeOf({ metadata }: ServiceModel): Readonly<Record<string, string>> {
  return metadata.jsonVersion === '1.0' ? { 'content-type': 'application/x-amz-json-1.0' } : {}
}

function respond(
  status: number,
  output: object,
  { mediaType, context }: Wire,
  headers: Readonly<Record<string, string>> = {},
): Response {
  const body = new TextEncoder().encode(JSON.stringify(toWire(output)))
  return new Response(body, {
    status,
    headers: {
      'content-type': mediaType,
      'content-length': String(body.length),
      'x-amzn-RequestId': context.requestId,
      ...headers,
    },
  })
}
