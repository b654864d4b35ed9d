import type { PublicRegistries } from '../../services/repositories/public-registries.ts'
import type { Handler } from '../http/context.ts'
import { LOGOS_PATH } from '../http/public-router.ts'
import { pathOf } from '../http/router.ts'
import { type AnswerBody, answer } from './responses.ts'

/** Serves the logos of public repositories: `GET /_ecru/logos/<id>.png`. */
export function createLogos(publicRegistries: PublicRegistries): Handler {
  return async (request, context) => {
    const id = pathOf(request.url)
      .slice(LOGOS_PATH.length)
      .replace(/\.png$/, '')
    const isRead = request.method === 'GET' || request.method === 'HEAD'
    const logo = isRead ? await publicRegistries.findLogo(id) : undefined
    if (logo === undefined) return answer(context, isRead ? 404 : 405, isRead ? {} : { Allow: 'GET, HEAD' })
    const headers = {
      'Cache-Control': 'public, max-age=86400',
      'Content-Length': String(logo.byteLength),
      'Content-Type': 'image/png',
      'X-Content-Type-Options': 'nosniff',
    }
    return answer(context, 200, headers, request.method === 'HEAD' ? null : (logo as AnswerBody))
  }
}
