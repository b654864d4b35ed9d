import { readFileSync } from 'node:fs'
import type { EventSender as Sender } from '../clients/events/sender.ts'
import { EventDelivery, type EventSender } from '../jobs/event-delivery.ts'
import { EventRetention } from '../jobs/event-retention.ts'
import type { JobRuns } from '../jobs/job-runs.ts'
import { JobRunner } from '../jobs/runner.ts'
import { Once } from '../lib/once.ts'
import { webhookSecret } from '../services/events/webhook-secret.ts'
import { asError, type Foundation } from './foundation.ts'
import type { Services } from './services.ts'

const ACTIVATE_EVERY_MS = 5_000
const RETENTION_EVERY_MS = 10 * 60_000
/** How long an endpoint may take over one event. */
const SEND_MS_MAX = 10_000

/** What happens to events once they are written down. */
export interface EventJobs {
  readonly delivery: EventDelivery
  start(): void
  /** Delivers what is due, and forgets what is old. */
  catchUp(): Promise<void>
  close(): Promise<void>
}

/** What delivers events, and what keeps their log within its bounds. */
export function createEventJobs(
  foundation: Foundation,
  { eventDestinations: destinations, activations, pullEvents }: Services,
  runs: JobRuns,
): EventJobs {
  const { config, metadata, clock, logger } = foundation
  const { tellsExtensions, retentionMs, countMax } = config.events
  const settings = { destinations, tellsExtensions }
  const delivery = new EventDelivery(metadata, senderOf(foundation), clock, logger, settings)
  const retention = new JobRunner(new EventRetention(metadata, clock, { retentionMs, countMax }), logger, runs)
  // Restorations end by themselves; those who wait to be told of it need not look.
  let activating: ReturnType<typeof setInterval> | undefined
  const activate = () =>
    activations.settle().catch((error) => logger.error({ error: asError(error) }, 'restorations could not be ended'))
  return {
    delivery,
    start() {
      delivery.start()
      activating = setInterval(() => void activate(), ACTIVATE_EVERY_MS)
      activating.unref()
      retention.start(RETENTION_EVERY_MS)
    },
    async catchUp() {
      await activate()
      await pullEvents?.flush()
      await delivery.drain()
      await retention.runNow()
    },
    async close() {
      clearInterval(activating)
      await delivery.close()
      await retention.close()
    },
  }
}

/** Loaded with the first event that is to be sent, not with the process. */
function senderOf({ config, metadata, ids, realClock }: Foundation): EventSender {
  const loaded = new Once(async (): Promise<Sender> => {
    const { EventSender: Clients } = await import('../clients/events/sender.ts')
    const { caFile } = config.oidc
    return new Clients({
      allowsPrivateAddresses: config.events.allowsPrivateAddresses,
      allowsHttp: config.events.allowsHttp,
      caCertificates: caFile === undefined ? undefined : readFileSync(caFile, 'utf8'),
      timeoutMs: SEND_MS_MAX,
      webhookSecret: (registry) => webhookSecret(metadata, ids, registry),
      clock: realClock,
      writeLine,
    })
  })
  return { send: async (message, signal) => (await loaded.get()).send(message, signal) }
}

/** Done when whoever reads the standard output has taken it. */
function writeLine(line: string): Promise<void> {
  return new Promise((written, failed) => {
    process.stdout.write(`${line}\n`, (error) => (error ? failed(error) : written()))
  })
}
