import { readFile } from 'node:fs/promises'
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
  /** Done when the line has left the process. */
  readonly writeLine: (line: string) => Promise<void>
}

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
        return await postWebhook(destination.url, secret, delivery, this.#fetching(false, signal), clock.now())
      }
      case 'http': {
        const { postWebhook } = await import('./webhook.ts')
        const secret = await secretIn(destination.secretFile)
        return await postWebhook(destination.url, secret, delivery, this.#fetching(true, signal), clock.now())
      }
      case 'sqs': {
        const { sendToQueue } = await import('./sqs.ts')
        const secret = await secretIn(destination.secretKeyFile)
        return await sendToQueue(destination, secret, delivery, this.#fetching(true, signal), clock.now())
      }
      case 'nats': {
        const { publishToNats } = await import('./nats.ts')
        const { server, subject, stream, user } = destination
        const [password, token] = [await secretIn(destination.passwordFile), await secretIn(destination.tokenFile)]
        const message = { server, subject, stream, payload: input, messageId: eventId, user, password, token }
        return await publishToNats(message, { timeoutMs, signal, caCertificates })
      }
      case 'file': {
        const { appendLine } = await import('./append-line.ts')
        await appendLine(destination.path, oneLine(input))
        return { kind: 'delivered' }
      }
      case 'stdout':
        await unlessAborted(writeLine(oneLine(input)), signal)
        return { kind: 'delivered' }
    }
  }

  #fetching(isOperators: boolean, signal: AbortSignal): PublicFetchSettings {
    const { allowsPrivateAddresses, allowsHttp, caCertificates, timeoutMs } = this.#settings
    return {
      allowsPrivateAddresses: isOperators || allowsPrivateAddresses,
      allowsHttp: isOperators || allowsHttp,
      caCertificates,
      timeoutMs,
      bytesMax: 0,
      signal,
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

/** Whoever reads the standard output may have stopped, which must not hold up the end of the process. */
async function unlessAborted(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let leave: () => void = () => undefined
  const aborted = new Promise<never>((_, failed) => {
    leave = () => failed(signal.reason)
    signal.addEventListener('abort', leave, { once: true })
    if (signal.aborted) leave()
  })
  try {
    await Promise.race([work, aborted])
  } finally {
    signal.removeEventListener('abort', leave)
  }
}

/** A template may have several lines. */
function oneLine(input: string): string {
  return input.replaceAll(/\r?\n/g, ' ')
}
