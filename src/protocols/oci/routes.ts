import { routeUnknown, unsupported } from '../../domain/errors.ts'
import { parseRepositoryName } from '../../domain/names.ts'
import { from } from '../../domain/principal.ts'
import { REPLICATED_FROM, readSource } from '../../domain/replication/wire.ts'
import type { TokenBearer } from '../../services/credentials/tokens.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler, RequestContext } from '../http/context.ts'
import { pathOf } from '../http/router.ts'
import { audited } from './audited-request.ts'
import { authenticate } from './auth.ts'
import { deleteBlob, getBlob, headBlob } from './blobs.ts'
import { hostOf, type OciCall, queryOf, type RepositoryCall } from './call.ts'
import { listRepositories } from './catalog.ts'
import { errorResponse, refuse } from './errors.ts'
import { deleteManifest, getManifest, headManifest, putManifest } from './manifests.ts'
import { matchRoute, type RouteKind } from './match-route.ts'
import { listReferrers } from './referrers.ts'
import { registryOfRequest } from './registry-of-request.ts'
import { answerJson, withoutBody } from './responses.ts'
import type { OciServices } from './services.ts'
import { listTags } from './tags.ts'
import { appendToUpload, cancelUpload, completeUpload, startUpload, uploadStatus } from './uploads.ts'

type Methods<Call> = Readonly<Record<string, (call: Call, operand: string) => Promise<Response>>>

/** What can be asked of the registry. */
const REGISTRY_ROUTES = {
  base: { GET: async ({ context }) => answerJson(context, 200, {}) },
  catalog: { GET: listRepositories },
} satisfies Partial<Record<RouteKind, Methods<OciCall>>>

/** What can be asked of one repository. */
const REPOSITORY_ROUTES = {
  blob: { HEAD: headBlob, GET: getBlob, DELETE: deleteBlob },
  manifest: { HEAD: headManifest, GET: getManifest, PUT: putManifest, DELETE: deleteManifest },
  referrers: { GET: listReferrers },
  tags: { GET: listTags },
  upload: { GET: uploadStatus, PATCH: appendToUpload, PUT: completeUpload, DELETE: cancelUpload },
  uploads: { POST: startUpload },
} satisfies Record<Exclude<RouteKind, keyof typeof REGISTRY_ROUTES>, Methods<RepositoryCall>>

/** The OCI distribution API under `/v2/`. Whatever goes wrong is answered in the registry's error envelope. */
export function createOci(services: OciServices): Handler {
  return async (request, context) => {
    try {
      return await handle(request, context, services)
    } catch (thrown) {
      return errorResponse(thrown, request, context, services.report, services.settings.fidelity)
    }
  }
}

/** Who is asking comes before what: without credentials every path looks the same. */
async function handle(request: Request, context: RequestContext, services: OciServices): Promise<Response> {
  const original = services.mirrors.originalOf(hostOf(request), saidOriginal(request))
  const bearer = await bearerOf(request, context, services, original)
  const source = readSource(request.headers.get(REPLICATED_FROM))
  const circumstances = new RequestCircumstances(request, context, source)
  const principal = from(bearer.principal, circumstances)
  context.setPrincipal(principal.arn)
  const registry = registryOfRequest(hostOf(request), bearer)
  const route = matchRoute(pathOf(request.url))
  if (route === undefined) throw routeUnknown()
  const call = { request, context, services, principal, circumstances, registry }
  const { kind, name, operand } = route
  if (kind === 'base' || kind === 'catalog')
    return audited(call, kind, operand, () => dispatch(REGISTRY_ROUTES[kind], call, operand))
  if (original !== undefined && !isReading(request)) throw unsupported('A mirror takes no pushes')
  const ref = {
    registry,
    name: original === undefined ? parseRepositoryName(name) : await services.mirrors.nameOf(registry, original, name),
  }
  const repositoryCall = { ...call, ref, wireName: name }
  return audited(repositoryCall, kind, operand, () => answerRepository(kind, repositoryCall, operand))
}

/** Whom a request speaks for. Who asks a mirror may be let in without credentials, as an operator has it. */
async function bearerOf(
  request: Request,
  context: RequestContext,
  { tokens, mirrors }: OciServices,
  original: string | undefined,
): Promise<TokenBearer> {
  const isAnonymous = original !== undefined && isReading(request) && request.headers.get('authorization') === null
  const mirrored = isAnonymous ? await mirrors.anonymous() : undefined
  return mirrored ?? authenticate(request, tokens, context)
}

/** Which registry a client means that asks a mirror of it (containerd says so). */
function saidOriginal(request: Request): string | undefined {
  return request.url.includes('ns=') ? (queryOf(request).get('ns') ?? undefined) : undefined
}

const isReading = ({ method }: Request) => method === 'GET' || method === 'HEAD'

/** Answers what is asked of one repository, wherever that is. */
export function answerRepository(
  kind: keyof typeof REPOSITORY_ROUTES,
  call: RepositoryCall,
  operand: string,
): Promise<Response> {
  return dispatch(REPOSITORY_ROUTES[kind], call, operand)
}

/** HEAD is answered wherever GET is. */
async function dispatch<Call extends OciCall>(methods: Methods<Call>, call: Call, operand: string): Promise<Response> {
  const { request, context } = call
  const { method } = request
  const handler = Object.hasOwn(methods, method) ? methods[method] : undefined
  if (handler !== undefined) return handler(call, operand)
  if (method === 'HEAD' && methods.GET !== undefined) return withoutBody(await methods.GET(call, operand))
  const allowed = Object.keys(methods)
  if (methods.GET !== undefined && methods.HEAD === undefined) allowed.push('HEAD')
  const Allow = allowed.join(', ')
  const message = `${method.slice(0, 20)} is not supported here, only ${Allow}`
  return refuse(request, context, { status: 405, code: 'UNSUPPORTED', message }, { Allow })
}
