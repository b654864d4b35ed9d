import { matching, readAs, wholeNumber } from './schema.ts'

/** What is watched, traced and reckoned. */
export const METRIC_VARIABLES = {
  ECRU_METRICS_TOKEN: {
    schema: matching(/^[\x21-\x7e]{16,256}$/, 'must be 16 to 256 printable characters without spaces'),
    isSecret: true,
    doc: 'Who shows it as a bearer token may read `/metrics`. Unset: only operators may, and in the dev profile programs on this machine.',
  },
  ECRU_METRICS_REPOSITORIES: {
    schema: wholeNumber(0, 100_000),
    default: '200',
    doc: 'How many repositories have samples of their own in `/metrics`; the others are told together.',
  },
  ECRU_OTLP_ENDPOINT: {
    schema: readAs(
      (given) => (URL.canParse(given) && /^https?:/.test(given) ? given : undefined),
      'must be a URL such as http://localhost:4318',
    ),
    doc: 'Where a collector of OpenTelemetry takes traces by OTLP over HTTP (JSON); `/v1/traces` is added. Unset: nothing is traced.',
  },
  ECRU_OTLP_HEADERS: {
    schema: readAs((given) => {
      const pairs = given.split(',').map((pair) => /^ *([A-Za-z0-9-]+)=([\x20-\x7e]+)$/.exec(pair))
      if (pairs.some((pair) => pair === null)) return undefined
      return Object.fromEntries(pairs.flatMap((pair) => (pair === null ? [] : [[pair[1] ?? '', pair[2] ?? '']])))
    }, 'must be headers such as authorization=Bearer x, with commas between'),
    isSecret: true,
    doc: 'Headers that the collector wants to see, such as `authorization=Bearer …`, with commas between.',
  },
  ECRU_OTLP_SAMPLE: {
    schema: readAs(
      (given) => (/^(0(\.[0-9]{1,6})?|1(\.0{1,6})?)$/.test(given) ? Number(given) : undefined),
      'must be a number from 0 to 1',
    ),
    default: '1',
    doc: 'Which part of the requests is traced when their caller does not say by `traceparent`: 1 for all, 0.01 for one of a hundred.',
  },
  ECRU_PRICE_PER_GB_MONTH: {
    schema: readAs(
      (given) => (/^[0-9]{1,12}(\.[0-9]{1,6})?$/.test(given) ? Number(given) : undefined),
      'must be a price such as 0.10',
    ),
    default: '0.10',
    doc: 'What a gigabyte (1024³ bytes) of storage costs in a month, in whatever money; `ecru cost` reckons with it.',
  },
} as const
