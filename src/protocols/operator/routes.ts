import { accessDenied, isRegistryError, requestMalformed } from '../../domain/errors.ts'
import type { AccessQuestion } from '../../domain/iam/access-report.ts'
import { parseRegion, parseRegistryId, parseRepositoryName, type RepositoryRef } from '../../domain/names.ts'
import { from } from '../../domain/principal.ts'
import { ADMIN_COMMANDS } from '../../services/administration.ts'
import { EVENT_COMMANDS } from '../../services/events/event-commands.ts'
import { REPLICATION_COMMANDS } from '../../services/replication/replication-commands.ts'
import { SCAN_COMMANDS } from '../../services/scanning/scan-commands.ts'
import { verifySigV4 } from '../aws/sigv4/verify.ts'
import { awsErrorOf } from '../errors.ts'
import { readBody } from '../http/body.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler, RequestContext } from '../http/context.ts'
import { pathOf } from '../http/router.ts'
import { auditOperation } from './audited-operation.ts'
import { DEV_ROUTES } from './dev-tools.ts'
import { hasScrapeToken, metricsPage } from './metrics.ts'
import { type Asked, isFromBrowser, type OperatorServices, type RoutedServices, type Routes } from './services.ts'

const ROUTES: Routes = {
  'GET /_ecru/health': async () => Response.json({ status: 'ok' }),
  'GET /_ecru/ready': ready,
  'GET /_ecru/info': info,
  'GET /metrics': async (request, context, services) => {
    if (!hasScrapeToken(request, services.scrapes)) await admit(request, context, services)
    return metricsPage(services.scrapes)
  },
  'POST /_ecru/gc': (request, context, services) =>
    operate(request, context, services, (query) => services.collectGarbage(isDryRun(query))),
  'POST /_ecru/scrub': (request, context, services) =>
    operate(request, context, services, (query) => services.scrub(isDryRun(query))),
  'POST /_ecru/backup': backUp,
  'POST /_ecru/cost': (request, context, services) => operate(request, context, services, () => services.costs()),
  'POST /_ecru/lifecycle/preview': (request, context, services) =>
    operate(request, context, services, (query) => services.forecastLifecycle(repositoryOf(query, services))),
  'POST /_ecru/lifecycle/run': (request, context, services) =>
    operate(request, context, services, (query) =>
      services.runLifecycle(query.get('all') === 'true' ? 'all' : repositoryOf(query, services)),
    ),
  'POST /_ecru/audit/verify': (request, context, services) =>
    operate(request, context, services, () => services.verifyAudit()),
  'POST /_ecru/advisories/status': (request, context, services) =>
    operate(request, context, services, () => services.advisoryStatus()),
  'POST /_ecru/advisories/import': (request, context, services) =>
    operate(request, context, services, (query) =>
      services.importAdvisories(query.get('from') ?? '', {
        ecosystems: query.get('ecosystems')?.split(','),
        source: query.get('source') ?? undefined,
      }),
    ),
  'POST /_ecru/advisories/fetch': (request, context, services) =>
    operate(request, context, services, () => services.fetchAdvisories()),
  'POST /_ecru/signing/certificate': (request, context, services) =>
    operate(request, context, services, (query) => services.signingCertificate(query.get('profile') ?? '')),
  'POST /_ecru/iam/explain': (request, context, services) =>
    operate(request, context, services, (query) => services.explainAccess(questionOf(query))),
}

/** `POST /_ecru/admin/…`. What a command is told stands in the query and is no secret; what it answers may be one. */
const ADMIN_ROUTES: Routes = Object.fromEntries(
  ADMIN_COMMANDS.map((command) => [
    `POST /_ecru/admin/${command}`,
    async (request, context, services) => {
      const response = await operate(request, context, services, (query) =>
        services.administer(command, Object.fromEntries(query)),
      )
      response.headers.set('cache-control', 'no-store')
      return response
    },
  ]),
)

/** `POST /_ecru/replication/…`. */
const REPLICATION_ROUTES: Routes = Object.fromEntries(
  REPLICATION_COMMANDS.map((command) => [
    `POST /_ecru/replication/${command}`,
    (request, context, services) =>
      operate(request, context, services, (query) => services.replicate(command, Object.fromEntries(query))),
  ]),
)

/** `POST /_ecru/scans/…`. */
const SCAN_ROUTES: Routes = Object.fromEntries(
  SCAN_COMMANDS.map((command) => [
    `POST /_ecru/scans/${command}`,
    (request, context, services) =>
      operate(request, context, services, (query) => services.inspect(command, Object.fromEntries(query))),
  ]),
)

/** `POST /_ecru/events/…`; what they answer may be a secret. */
const EVENT_ROUTES: Routes = Object.fromEntries(
  EVENT_COMMANDS.map((command) => [
    `POST /_ecru/events/${command}`,
    async (request, context, services) => {
      const response = await operate(request, context, services, (query) =>
        services.manageEvents(command, Object.fromEntries(query)),
      )
      response.headers.set('cache-control', 'no-store')
      return response
    },
  ]),
)

/** The operator's plane, `/_ecru/…`: health, readiness, facts, and the jobs that can be run on demand. */
export function createOperatorPlane(services: OperatorServices): Handler {
  const always = { ...ROUTES, ...ADMIN_ROUTES, ...SCAN_ROUTES, ...REPLICATION_ROUTES, ...EVENT_ROUTES }
  const routes: Routes = services.facts.profile === 'dev' ? { ...always, ...DEV_ROUTES } : always
  return async (request, context) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const path = pathOf(request.url)
    const route = routes[`${method} ${path}`]
    const asked: Asked = {}
    try {
      if (route === undefined) return unknownRoute(method, path, Object.keys(routes))
      const response = await route(request, context, { ...services, asked })
      auditOperation(request, context, services, asked)
      return response
    } catch (thrown) {
      auditOperation(request, context, services, asked, thrown)
      const { status, code, message, isBug } = awsErrorOf(thrown)
      if (isBug) services.logger.error({ requestId: context.requestId, error: asError(thrown) }, 'request failed')
      return Response.json({ code, message, requestId: context.requestId }, { status })
    }
  }
}

async function ready(_request: Request, context: RequestContext, services: OperatorServices): Promise<Response> {
  try {
    await services.checkReady()
    return Response.json({ status: 'ready' })
  } catch (thrown) {
    // A full disk takes no pushes, but a load balancer that went away would take the pulls with it.
    if (isRegistryError(thrown, 'storage-full')) return Response.json({ status: 'ready', storage: 'full' })
    services.logger.error({ requestId: context.requestId, error: asError(thrown) }, 'not ready')
    return Response.json({ status: 'not ready', message: 'The log has the reason.' }, { status: 503 })
  }
}

/** Which version runs, and how much all accounts keep, is no stranger's business. */
async function info(request: Request, context: RequestContext, services: RoutedServices): Promise<Response> {
  const { facts, setting } = services
  if (facts.profile === 'server') await authorize(request, context, services)
  const uptimeSeconds = Math.floor((setting.clock.now().getTime() - facts.startedAt.getTime()) / 1000)
  return Response.json({ name: 'ecru', ...facts, uptimeSeconds, blobs: await services.totals() })
}

/** `to=-`: the answer is the archive, and breaks off where the backup fails. */
async function backUp(request: Request, context: RequestContext, services: RoutedServices): Promise<Response> {
  await admit(request, context, services)
  const query = new URL(request.url).searchParams
  const to = query.get('to') ?? ''
  const wanted = {
    includesKeys: query.get('includeKeys') === 'true',
    includesAdvisories: query.get('advisories') !== 'false',
  }
  if (to === '-') return await streamed((await services.streamBackup(wanted)).body, 'application/x-tar')
  const keep = query.has('keep') ? Number(query.get('keep')) : undefined
  return Response.json(await services.backUp({ ...wanted, to, keep, isThorough: query.get('thorough') === 'true' }))
}

/** What fails before the first piece is an answer in words. */
async function streamed(pieces: AsyncGenerator<Uint8Array, void, void>, contentType: string): Promise<Response> {
  const first = await pieces.next()
  let next: typeof first | undefined = first
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = next ?? (await pieces.next())
        next = undefined
        if (done === true) controller.close()
        else controller.enqueue(value)
      },
      async cancel() {
        await pieces.return()
      },
    },
    { highWaterMark: 0 },
  )
  return new Response(body, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } })
}

async function operate(
  request: Request,
  context: RequestContext,
  services: RoutedServices,
  run: (query: URLSearchParams) => Promise<object>,
): Promise<Response> {
  await admit(request, context, services)
  return Response.json(await run(new URL(request.url).searchParams))
}

/** Programs on this machine need no key in the dev profile, where everybody has one. */
async function admit(request: Request, context: RequestContext, services: RoutedServices): Promise<void> {
  const isTrusted = services.facts.profile === 'dev' && context.isLoopback && !isFromBrowser(request)
  services.asked.isTrusted = isTrusted
  if (!isTrusted) await authorize(request, context, services)
}

function isDryRun(query: URLSearchParams): boolean {
  return query.get('dryRun') === 'true'
}

/** The repository that an operator names, in the registry that is meant when none is named. */
function repositoryOf(query: URLSearchParams, { defaultRegistry }: OperatorServices): RepositoryRef {
  const [account, region] = [query.get('account'), query.get('region')]
  return {
    name: parseRepositoryName(query.get('repository') ?? ''),
    registry: {
      registryId: account === null ? defaultRegistry.registryId : parseRegistryId(account),
      region: region === null ? defaultRegistry.region : parseRegion(region),
    },
  }
}

/** Every other parameter of the query is a condition key that the request is to have. */
function questionOf(query: URLSearchParams): AccessQuestion {
  const context = new Map<string, string[]>()
  for (const [name, value] of query)
    if (name.includes(':')) context.set(name.toLowerCase(), [...(context.get(name.toLowerCase()) ?? []), value])
  const [principal = '', action = '', resource = '*'] = ['principal', 'action', 'resource'].map(
    (name) => query.get(name) ?? undefined,
  )
  return { principal, action, resource, context: Object.fromEntries(context) }
}

const BODY_BYTES_MAX = 1024

/** Only the default account's root operates the registry, with its own key: other accounts are not its business to show or change. */
async function authorize(
  request: Request,
  context: RequestContext,
  { setting, defaultRegistry, asked }: RoutedServices,
): Promise<void> {
  const { method, headers, url } = request
  // Signatures cover the host, so that there has to be one.
  if (!URL.canParse(url)) throw requestMalformed('The Host header is missing or is not a host.')
  const signedBy = await verifySigV4(
    { method, url: new URL(url), headers, body: () => readBody(request, BODY_BYTES_MAX, context) },
    (id) => setting.callers.findSecrets(id),
    setting.clock.now(),
    {
      acceptsUnknownKeys: setting.profile === 'dev',
      attempts: setting.attempts,
      remoteAddress: context.clientAddress,
    },
  )
  const principal = from(await setting.callers.identify(signedBy), new RequestCircumstances(request, context))
  asked.principal = principal
  const { arn, kind, accountId, session } = principal
  context.setPrincipal(arn)
  const { registryId } = defaultRegistry
  if (kind !== 'root' || accountId !== registryId || session !== undefined)
    throw accessDenied(
      arn,
      'ecru:Operate',
      '*',
      `because only the root of the account ${registryId} may operate the registry`,
    )
}

function unknownRoute(method: string, path: string, known: readonly string[]): Response {
  const allowed = known.filter((route) => route.endsWith(` ${path}`)).map((route) => route.split(' ', 1)[0] ?? '')
  const message = `There is nothing at ${method} ${path.slice(0, 200)}; the operator's routes are ${known.join(', ')}.`
  return allowed.length > 0
    ? Response.json({ message }, { status: 405, headers: { allow: allowed.join(', ') } })
    : Response.json({ message }, { status: 404 })
}

function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown))
}
