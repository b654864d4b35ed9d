import { appendFile, readFile } from 'node:fs/promises'
import type { Delivery, DeliveryOutcome } from '../../domain/eventbridge/delivery.ts'
import type { Registry } from '../../domain/names.ts'
import type { Clock } from '../../lib/clock.ts'
import { FetchRefused, type PublicFetchSettings } from '../public-fetch.ts'

export interface EventSenderSettings {
  /** Webhooks that accounts name by URL: also to private addresses. What an operator has described may be anywhere. */
  readonly allowsPrivateAddresses: boolean
  /** The same, without TLS. */
  readonly allowsHttp: boolean
  readonly caCertificates: string | undefined
  readonly timeoutMs: number
  /** By which the webhooks of a registry are signed. */
  readonly webhookSecret: (registry: Registry) => Promise<string>
  /** Signatures go by it: the real one. */
  readonly clock: Clock
  readonly writeLine: (line: string) => void
}

const ANSWER_BYTES_MAX = 64 * 1024

/** Takes events to where they go. */
export class EventSender {
  readonly #settings: EventSenderSettings

  constructor(settings: EventSenderSettings) {
    this.#settings = settings
  }

  /** Never throws: whatever went wrong is a failure that may pass. */
  async send(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    try {
      return await this.#send(delivery, signal)
    } catch (thrown) {
      return { kind: 'failed', reason: thrown instanceof Error ? thrown.message : String(thrown) }
    }
  }

  async #send(delivery: Delivery, signal: AbortSignal): Promise<DeliveryOutcome> {
    const { destination, input, eventId } = delivery
    const { clock, webhookSecret, timeoutMs, caCertificates, writeLine } = this.#settings
    switch (destination.kind) {
      case 'webhook': {
        const { postWebhook } = await import('./webhook.ts')
        const secret = await webhookSecret(destination.registry)
        return await postWebhook(destination.url, secret, delivery, this.#fetching(false), clock.now())
      }
      case 'http': {
        const { postWebhook } = await import('./webhook.ts')
        const secret = await secretIn(destination.secretFile)
        return await postWebhook(destination.url, secret, delivery, this.#fetching(true), clock.now())
      }
      case 'sqs': {
        const { sendToQueue } = await import('./sqs.ts')
        const secret = await secretIn(destination.secretKeyFile)
        return await sendToQueue(destination, secret, delivery, this.#fetching(true), clock.now())
      }
      case 'nats': {
        const { publishToNats } = await import('./nats.ts')
        const { server, subject, user } = destination
        const [password, token] = [await secretIn(destination.passwordFile), await secretIn(destination.tokenFile)]
        const message = { server, subject, payload: input, messageId: eventId, user, password, token }
        await publishToNats(message, { timeoutMs, signal, caCertificates })
        return { kind: 'delivered' }
      }
      case 'file':
        await appendFile(destination.path, `${oneLine(input)}\n`, { mode: 0o600, flush: true })
        return { kind: 'delivered' }
      case 'stdout':
        writeLine(oneLine(input))
        return { kind: 'delivered' }
    }
  }

  #fetching(isOperators: boolean): PublicFetchSettings {
    const { allowsPrivateAddresses, allowsHttp, caCertificates, timeoutMs } = this.#settings
    return {
      allowsPrivateAddresses: isOperators || allowsPrivateAddresses,
      allowsHttp: isOperators || allowsHttp,
      caCertificates,
      timeoutMs,
      bytesMax: ANSWER_BYTES_MAX,
    }
  }
}

/** Read each time: whoever changes the file need not restart the registry. */
async function secretIn(path: string | undefined): Promise<string | undefined> {
  if (path === undefined) return undefined
  const text = (await readFile(path, 'utf8')).trim()
  if (text === '') throw new FetchRefused('The file of the secret is empty')
  return text
}

/** A template may have several lines. */
function oneLine(input: string): string {
  return input.replaceAll(/\r?\n/g, ' ')
}
