import { duration, MINUTE_MS, text, wholeNumber, YEAR_MS, yesOrNo } from './schema.ts'

/** The variables of events, as a part of all. */
export const EVENT_VARIABLES = {
  ECRU_EVENTS_TARGETS: {
    schema: text(),
    flag: '--events-targets <path>',
    doc: 'A file (JSON) of the places that rules of EventBridge may send events to; [events.md](events.md) has its form. Unset: webhooks only.',
  },
  ECRU_EVENTS_ALLOW_PRIVATE: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--events-allow-private',
    doc: 'Send webhooks that accounts name by URL to private, loopback and link-local addresses too. Metadata services are among them.',
  },
  ECRU_EVENTS_ALLOW_HTTP: {
    schema: yesOrNo(),
    default: 'false',
    flag: '--events-allow-http',
    doc: 'Send webhooks that accounts name by URL without TLS too.',
  },
  ECRU_EVENTS_EXTENSIONS: {
    schema: yesOrNo(),
    default: 'true',
    doc: 'Tell rules of pulls and of repositories that come and go too, of which ECR has no events. Never with `ECRU_FIDELITY=aws`.',
  },
  ECRU_EVENTS_RETENTION: {
    schema: duration(60 * MINUTE_MS, 10 * YEAR_MS),
    default: '7d',
    doc: 'How long events are kept, so that they can be replayed, and those that could not be delivered.',
  },
  ECRU_EVENTS_MAX: {
    schema: wholeNumber(1000, 100_000_000),
    default: '500000',
    doc: 'How many events are kept at the most; the oldest go first. An event takes some 500 bytes.',
  },
} as const
