import { parseDigest } from '../../domain/digest.ts'
import { isRegistryError, routeUnknown } from '../../domain/errors.ts'
import { parseRepositoryName } from '../../domain/names.ts'
import { from } from '../../domain/principal.ts'
import { isRegistryAlias, PUBLIC_REGION, registryNotFound } from '../../domain/public-registry.ts'
import { ANONYMOUS_PULL } from '../../domain/rates.ts'
import type { PublicPullQuota } from '../../services/repositories/public-pull-quota.ts'
import type { PublicRegistries } from '../../services/repositories/public-registries.ts'
import type { Throttle } from '../../services/throttle.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler, RequestContext } from '../http/context.ts'
import { pathOf } from '../http/router.ts'
import { audited } from './audited-request.ts'
import { blobHead } from './blobs.ts'
import type { RepositoryCall } from './call.ts'
import { errorResponse } from './errors.ts'
import { matchRoute, type RouteKind } from './match-route.ts'
import { authenticateBearer, badToken, bearerChallenge } from './public-auth.ts'
import { answerJson } from './responses.ts'
import { answerRepository } from './routes.ts'
import type { OciServices } from './services.ts'

/** What the public plane uses beside what the private one does. */
export interface PublicOciServices extends OciServices {
  readonly publicRegistries: PublicRegistries
  readonly throttle: Throttle
  readonly publicPullQuota: PublicPullQuota
}

/** The OCI distribution API of the public registries: names begin with an alias, everybody pulls, owners push. */
export function createPublicOci(services: PublicOciServices): Handler {
  return async (request, context) => {
    try {
      return await handle(request, context, services)
    } catch (thrown) {
      if (isRegistryError(thrown, 'unauthenticated')) return bearerChallenge(request, context)
      const { report, settings } = services
      return badToken(thrown, request, context) ?? errorResponse(thrown, request, context, report, settings.fidelity)
    }
  }
}

async function handle(request: Request, context: RequestContext, services: PublicOciServices): Promise<Response> {
  const bearer = await authenticateBearer(request, services.tokens, context)
  const circumstances = new RequestCircumstances(request, context)
  const principal = from(bearer.principal, circumstances)
  context.setPrincipal(principal.arn)
  const route = matchRoute(pathOf(request.url))
  if (route === undefined || route.kind === 'catalog') throw routeUnknown()
  const { kind, name: wireName, operand } = route
  if (kind === 'base') return answerJson(context, 200, {})
  const slash = wireName.indexOf('/')
  const alias = wireName.slice(0, Math.max(slash, 0))
  if (!isRegistryAlias(alias)) throw registryNotFound(alias)
  const registry = await services.publicRegistries.registryOf(alias)
  const ref = { registry, name: parseRepositoryName(wireName.slice(slash + 1)) }
  const call = { request, context, services, principal, circumstances, registry, ref, wireName }
  if (kind === 'blob' && request.method === 'HEAD') return audited(call, kind, operand, () => headBlob(call, operand))
  const answer = () => audited(call, kind, operand, () => answerRepository(kind, call, operand))
  return principal.kind === 'anonymous' ? answerUnnamed(call, kind, operand, answer) : answer()
}

/** Who does not say who he is is held to limits by his address. */
async function answerUnnamed(
  { request, context, services }: { request: Request; context: RequestContext; services: PublicOciServices },
  kind: RouteKind,
  operand: string,
  answer: () => Promise<Response>,
): Promise<Response> {
  const { clientAddress: address } = context
  const { throttle, publicPullQuota } = services
  // One pull asks for one manifest by its tag, and for the rest by digest.
  if (kind === 'manifest' && !operand.includes(':'))
    throttle.count({ accountId: address, region: PUBLIC_REGION }, `ecr:${ANONYMOUS_PULL}`)
  if (request.method !== 'GET' || (kind !== 'manifest' && kind !== 'blob')) return answer()
  await publicPullQuota.check(address)
  const response = await answer()
  if (kind === 'blob') await publicPullQuota.add(address, Number(response.headers.get('content-length') ?? 0))
  return response
}

/** Before a push it is a question of those who may push; anybody else is about to pull. */
async function headBlob(call: RepositoryCall, operand: string): Promise<Response> {
  const { request, context, services, principal, ref } = call
  try {
    return await answerRepository('blob', call, operand)
  } catch (thrown) {
    if (!isRegistryError(thrown, 'access-denied')) throw thrown
    const { blob } = await services.layers.open(principal, ref, parseDigest(operand))
    return blobHead(request, context, blob)
  }
}
