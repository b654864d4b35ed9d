import { isRegistryError, tokenInvalid, unauthenticated } from '../../domain/errors.ts'
import { isPublic } from '../../domain/public-registry.ts'
import type { TokenBearer, Tokens } from '../../services/credentials/tokens.ts'
import type { RequestContext } from '../http/context.ts'
import { readCredentials } from './auth.ts'
import { originOf } from './call.ts'
import { refuse } from './errors.ts'
import { answerJson, withoutBody } from './responses.ts'

/** What the public registry calls itself in challenges, wherever it is served. */
const SERVICE = 'public.ecr.aws'
const USER = 'AWS'

/**
 * Whom a request speaks for, by its bearer token: what `/token/` gave, or an authorization token as it is. Throws
 * `unauthenticated` without one, `token-invalid` and `token-expired` with one that is no good here.
 */
export async function authenticateBearer(
  { headers }: Request,
  tokens: Tokens,
  context: RequestContext,
): Promise<TokenBearer> {
  const [, token] = /^bearer +(\S+)$/i.exec(headers.get('authorization') ?? '') ?? []
  if (token === undefined) throw unauthenticated()
  return verify(readCredentials(`Basic ${token}`), tokens, context)
}

/** The same by `Basic` credentials, as `docker login` sends them to `/token/`. */
export async function authenticateBasic(
  { headers }: Request,
  tokens: Tokens,
  context: RequestContext,
): Promise<TokenBearer> {
  return verify(readCredentials(headers.get('authorization')), tokens, context)
}

/** A private registry's password opens nothing here. */
async function verify(
  credentials: ReturnType<typeof readCredentials>,
  tokens: Tokens,
  { clientAddress }: RequestContext,
): Promise<TokenBearer> {
  if (credentials.user !== USER) throw tokenInvalid()
  const bearer = await tokens.verify(credentials.password, clientAddress)
  if (!isPublic(bearer.registry)) throw tokenInvalid()
  return bearer
}

/** What a bearer token is made of, for either kind of login. */
export function bearerToken(password: string): string {
  return Buffer.from(`${USER}:${password}`).toString('base64')
}

/** 401: says where tokens are had. */
export function bearerChallenge(request: Request, context: RequestContext): Response {
  const realm = `${originOf(request)}/token/`
  const response = answerJson(
    context,
    401,
    { errors: [{ code: 'DENIED', message: 'Not Authorized' }] },
    { 'WWW-Authenticate': `Bearer realm="${realm}",service="${SERVICE}",scope="aws"` },
  )
  return request.method === 'HEAD' ? withoutBody(response) : response
}

/** A token that is no good, expired ones included: 400 and no challenge. `undefined` for any other failure. */
export function badToken(thrown: unknown, request: Request, context: RequestContext): Response | undefined {
  if (!isRegistryError(thrown, 'token-invalid', 'token-expired')) return undefined
  return refuse(request, context, { status: 400, code: 'DENIED', message: thrown.message })
}
