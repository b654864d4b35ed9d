import type { Handler } from './context.ts'
import { pathOf } from './router.ts'

export const AUTHORITY_PATH = '/_ecru/ca.crt'

/** Hands out, beside everything else, the certificate (PEM) that clients of this server have to trust. It is no secret. */
export function besideAuthority(certificate: string | undefined, others: Handler): Handler {
  return (request, context) => {
    if (pathOf(request.url) !== AUTHORITY_PATH) return others(request, context)
    const { method } = request
    if (method !== 'GET' && method !== 'HEAD')
      return Promise.resolve(new Response(null, { status: 405, headers: { allow: 'GET, HEAD' } }))
    return Promise.resolve(
      certificate === undefined
        ? Response.json({ message: 'This server has no certificate authority of its own.' }, { status: 404 })
        : new Response(method === 'HEAD' ? null : certificate, {
            headers: { 'content-type': 'application/x-pem-file' },
          }),
    )
  }
}
