import { tokenInvalid, unauthenticated } from '../../domain/errors.ts'
import type { TokenBearer, Tokens } from '../../services/credentials/tokens.ts'
import type { RequestContext } from '../http/context.ts'

/** The only user name that ECR logs in. */
const USER = 'AWS'

/**
 * Whom a request speaks for, by its `Basic` credentials. Without any that ECR would look at it throws `unauthenticated`
 * (the client is asked to log in); with some that are no good, `token-invalid`, `token-expired`, or `throttled` for an address that guesses.
 */
export async function authenticate(
  { headers }: Request,
  tokens: Tokens,
  { clientAddress }: RequestContext,
): Promise<TokenBearer> {
  const { user, password } = readCredentials(headers.get('authorization'))
  if (user !== USER) throw unauthenticated()
  return tokens.verify(password, clientAddress)
}

/** Reads an `Authorization` header. Throws `unauthenticated` when it is absent or of another scheme, `token-invalid` when garbled. */
export function readCredentials(header: string | null): { readonly user: string; readonly password: string } {
  if (header === null || !/^basic( |$)/i.test(header)) throw unauthenticated()
  const text = Buffer.from(header.slice(6).trim(), 'base64').toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0) throw tokenInvalid()
  return { user: text.slice(0, colon), password: text.slice(colon + 1) }
}
