import { ANONYMOUS } from '../../domain/principal.ts'
import { PUBLIC_REGION } from '../../domain/public-registry.ts'
import type { Handler } from '../http/context.ts'
import { readCredentials } from './auth.ts'
import { errorResponse, refuse } from './errors.ts'
import { authenticateBasic, badToken, bearerToken } from './public-auth.ts'
import { answerJson } from './responses.ts'
import type { OciServices } from './services.ts'

const METHODS = 'GET, HEAD'

/** `GET /token/`: a bearer token for whoever logs in, and one that pulls for whoever does not. */
export function createPublicToken({ tokens, report }: Pick<OciServices, 'tokens' | 'report'>): Handler {
  return async (request, context) => {
    const { method, headers } = request
    if (method !== 'GET' && method !== 'HEAD')
      return refuse(
        request,
        context,
        { status: 405, code: 'UNSUPPORTED', message: `A token is had with ${METHODS}` },
        { Allow: METHODS },
      )
    try {
      if (!headers.has('authorization')) {
        const { password } = await tokens.issue(ANONYMOUS, PUBLIC_REGION)
        return answerJson(context, 200, { token: bearerToken(password) })
      }
      const { principal } = await authenticateBasic(request, tokens, context)
      context.setPrincipal(principal.arn)
      // It ends when the password does.
      return answerJson(context, 200, { token: bearerToken(readCredentials(headers.get('authorization')).password) })
    } catch (thrown) {
      return badToken(thrown, request, context) ?? errorResponse(thrown, request, context, report)
    }
  }
}
