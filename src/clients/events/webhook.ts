import { createHmac } from 'node:crypto'
import type { Delivery, DeliveryOutcome } from '../../domain/eventbridge/delivery.ts'
import { type HttpSettings, isFramingHeader } from '../../domain/eventbridge/rule.ts'
import { type PublicFetchSettings, publicFetch } from '../public-fetch.ts'
import { outcomeOf } from './answers.ts'

/** The header by which a receiver knows who sent a webhook. */
export const SIGNATURE_HEADER = 'ecru-signature'

/** `t=<seconds>,v1=<hex>`: an HMAC-SHA-256 with the secret over the seconds, a full stop and the body. */
export function webhookSignature(secret: string | Uint8Array, body: string, at: Date): string {
  const seconds = Math.floor(at.getTime() / 1000)
  const mac = createHmac('sha256', secret).update(`${seconds}.${body}`).digest('hex')
  return `t=${seconds},v1=${mac}`
}

/** Posts an event to a URL, signed. Throws `FetchRefused` when the endpoint cannot be asked. */
export async function postWebhook(
  url: string,
  secret: string | Uint8Array | undefined,
  { eventId, input, http }: Delivery,
  settings: PublicFetchSettings,
  now: Date,
): Promise<DeliveryOutcome> {
  const headers = {
    ...ownHeaders(http?.headers ?? {}),
    'content-type': 'application/json',
    'user-agent': 'ecru-events',
    'ecru-event-id': eventId,
    ...(secret !== undefined && { [SIGNATURE_HEADER]: webhookSignature(secret, input, now) }),
  }
  const answer = await publicFetch(placed(url, http), settings, undefined, { headers, body: input })
  return outcomeOf(answer, now)
}

/** The URL with each `*` of its path filled in, and with the query of the target. */
function placed(url: string, http: HttpSettings | undefined): string {
  const target = new URL(url)
  const values = [...(http?.path ?? [])]
  target.pathname = target.pathname.replaceAll('*', () => encodeURIComponent(values.shift() ?? '*'))
  for (const [name, value] of Object.entries(http?.query ?? {})) target.searchParams.append(name, value)
  return target.href
}

function ownHeaders(headers: Readonly<Record<string, string>>): Record<string, string> {
  const named = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value] as const)
  return Object.fromEntries(named.filter(([name]) => !isFramingHeader(name)))
}
