import { parseDigest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import { RequestCircumstances } from '../http/circumstances.ts'
import type { Handler } from '../http/context.ts'
import { LAYER_DOWNLOADS_PATH, pathOf } from '../http/router.ts'
import { blobContent, blobHead } from './blobs.ts'
import { queryOf } from './call.ts'
import { errorResponse, refuse } from './errors.ts'
import type { OciServices } from './services.ts'

const METHODS = 'GET, HEAD'

/** Serves the URLs that GetDownloadUrlForLayer hands out: who holds a ticket needs no other credentials. */
export function createLayerDownloads({ layers, report }: Pick<OciServices, 'layers' | 'report'>): Handler {
  return async (request, context) => {
    const { method, url } = request
    if (method !== 'GET' && method !== 'HEAD')
      return refuse(
        request,
        context,
        { status: 405, code: 'UNSUPPORTED', message: `A layer is downloaded with ${METHODS}` },
        { Allow: METHODS },
      )
    try {
      const digest = parseDigest(decodeURIComponent(pathOf(url).slice(LAYER_DOWNLOADS_PATH.length)))
      const readable = await layers.openByTicket(
        queryOf(request).get('ticket') ?? '',
        digest,
        new RequestCircumstances(request, context),
      )
      if (method === 'HEAD') return blobHead(request, context, readable.blob)
      return await blobContent(request, context, readable)
    } catch (thrown) {
      if (isRegistryError(thrown, 'token-invalid', 'token-expired')) return refuse(request, context, TICKET_REFUSED)
      if (thrown instanceof URIError) return refuse(request, context, PATH_REFUSED)
      return errorResponse(thrown, request, context, report)
    }
  }
}

const TICKET_REFUSED = {
  status: 403,
  code: 'DENIED',
  message: 'This download URL is not valid or has expired: ask for a new one with GetDownloadUrlForLayer.',
}

const PATH_REFUSED = { status: 400, code: 'DIGEST_INVALID', message: 'The path is not valid percent-encoded text' }
