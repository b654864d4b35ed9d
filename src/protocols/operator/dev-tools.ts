import { invalidParameters } from '../../domain/errors.ts'
import { parseRegion, parseRegistryId, parseRepositoryName } from '../../domain/names.ts'
import type { ResetScope } from '../../domain/reset-scope.ts'
import { parseStrictJson } from '../../domain/strict-json.ts'
import { VIRTUAL_OFFSET_MS_MAX } from '../../lib/virtual-clock.ts'
import { readBody } from '../http/body.ts'
import type { RequestContext } from '../http/context.ts'
import { type DevTools, isFromBrowser, type OperatorServices, type Route, type Routes } from './services.ts'

/** Routes of the dev profile alone: its clock can be moved, and it can be emptied, by whoever is on this machine. */
export const DEV_ROUTES: Routes = {
  'GET /_ecru/clock': here(async (_request, _context, { devTools }) => timeOf(devTools)),
  'POST /_ecru/clock': here(async (request, context, { devTools }) => {
    const { advanceSeconds } = await membersOf(request, context, ['advanceSeconds'])
    advance(devTools, advanceSeconds)
    await devTools.catchUp()
    return timeOf(devTools)
  }),
  'POST /_ecru/reset': here(async (request, context, services) => {
    // A scope that was put into the address must not mean everything.
    if (request.url.includes('?')) throw invalidParameters('What is to be reset is told by a JSON object in the body.')
    const members = await membersOf(request, context, ['account', 'region', 'repository'])
    return services.devTools.reset(scopeOf(members, services))
  }),
}

/** No credentials help from elsewhere: in this profile everybody has some. */
function here(run: (request: Request, context: RequestContext, services: OperatorServices) => Promise<object>): Route {
  return async (request, context, services) => {
    if (context.isLoopback && !isFromBrowser(request)) return Response.json(await run(request, context, services))
    const message = 'The clock and the reset of a registry are for programs on its own machine, and for no web page.'
    return Response.json({ code: 'AccessDeniedException', message, requestId: context.requestId }, { status: 403 })
  }
}

function timeOf({ clock }: DevTools): object {
  return { now: clock.now(), offsetSeconds: clock.offsetMs / 1000 }
}

/** Zero is fine: what is due by now is done. */
function advance({ clock }: DevTools, seconds: unknown): void {
  const secondsMax = Math.floor((VIRTUAL_OFFSET_MS_MAX - clock.offsetMs) / 1000)
  if (typeof seconds !== 'number' || !(seconds >= 0 && seconds <= secondsMax))
    throw invalidParameters(`advanceSeconds must be a number from 0 to ${secondsMax}.`)
  clock.advance(Math.round(seconds * 1000))
}

/** A repository is looked for in the registry that is meant when none is named; without one, what is absent means all. */
function scopeOf(members: Readonly<Record<string, unknown>>, { defaultRegistry }: OperatorServices): ResetScope {
  const [account, region, repository] = ['account', 'region', 'repository'].map((name) => textOf(members, name))
  const registryId = account === undefined ? undefined : parseRegistryId(account)
  const parsedRegion = region === undefined ? undefined : parseRegion(region)
  if (repository === undefined) return { registryId, region: parsedRegion }
  const registry = {
    registryId: registryId ?? defaultRegistry.registryId,
    region: parsedRegion ?? defaultRegistry.region,
  }
  return { repository: { registry, name: parseRepositoryName(repository) } }
}

function textOf(members: Readonly<Record<string, unknown>>, name: string): string | undefined {
  const value = members[name]
  if (value === undefined || typeof value === 'string') return value
  throw invalidParameters(`${name} must be a string.`)
}

const BODY_BYTES_MAX = 4096

/** The members of the JSON object that was sent; no body is one without members. One that is not known is refused: a misspelt scope must not mean everything. */
async function membersOf(
  request: Request,
  context: RequestContext,
  known: readonly string[],
): Promise<Readonly<Record<string, unknown>>> {
  const text = new TextDecoder().decode(await readBody(request, BODY_BYTES_MAX, context))
  const body = text === '' ? {} : parseBody(text)
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw invalidParameters(`The body must be a JSON object, of ${known.join(', ')}.`)
  const unknown = Object.keys(body).find((name) => !known.includes(name))
  if (unknown !== undefined)
    throw invalidParameters(`There is no member '${unknown.slice(0, 100)}'; there is ${known.join(', ')}.`)
  return { ...body }
}

function parseBody(text: string): unknown {
  try {
    return parseStrictJson(text)
  } catch (cause) {
    throw invalidParameters(`The body must be JSON: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
