import type { Handler } from './context.ts'
import { pathOf } from './router.ts'

/** Who answers what of the public registries. */
export interface PublicPlanes {
  /** `/v2/…` on a public host. */
  readonly oci: Handler
  /** `/token/`, where bearer tokens come from. */
  readonly token: Handler
  /** The logos of repositories, on any host. */
  readonly logos: Handler
}

export const LOGOS_PATH = '/_ecru/logos/'

/** Sends what is asked of a public host to the public planes, and everything else on. `hosts` are as image names have them. */
export function besidePublic(hosts: ReadonlySet<string>, planes: PublicPlanes, others: Handler): Handler {
  return (request, context) => {
    const path = pathOf(request.url)
    if (hosts.has(hostOf(request.url))) {
      if (path.startsWith('/v2/') || path === '/v2') return planes.oci(request, context)
      if (path === '/token/' || path === '/token') return planes.token(request, context)
    }
    if (path.startsWith(LOGOS_PATH)) return planes.logos(request, context)
    return others(request, context)
  }
}

/** Host and port of an absolute URL as the server gives it; empty for a bare path. */
function hostOf(url: string): string {
  if (url.startsWith('/')) return ''
  const start = url.indexOf('://') + 3
  const end = url.indexOf('/', start)
  return url.slice(start, end < 0 ? undefined : end)
}
