import { createHash, timingSafeEqual } from 'node:crypto'
import type { Scrapes } from './services.ts'

const CONTENT_TYPE = 'text/plain; version=0.0.4; charset=utf-8'

/** Whether the request shows the token that was given to whoever scrapes. */
export function hasScrapeToken({ headers }: Request, { token }: Scrapes): boolean {
  const [, given] = /^Bearer +([^ ]+)$/i.exec(headers.get('authorization') ?? '') ?? []
  return token !== undefined && given !== undefined && timingSafeEqual(sha256(given), sha256(token))
}

/** `GET /metrics`, in the text format of Prometheus. */
export async function metricsPage(scrapes: Scrapes): Promise<Response> {
  const headers = { 'content-type': CONTENT_TYPE, 'cache-control': 'no-store' }
  return new Response(await scrapes.print(), { headers })
}

/** Of equal length, whatever was given. */
function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
