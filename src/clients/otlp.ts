/** A request that was answered, as one step of a trace. */
export interface Span {
  /** 32 and 16 hexadecimal digits. */
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly startedAtMs: number
  readonly durationMs: number
  readonly isFailure: boolean
  readonly attributes: Readonly<Record<string, string | number>>
}

export interface OtlpSettings {
  /** Where a collector listens, such as `http://collector:4318`; spans go to `/v1/traces` below it. */
  readonly endpoint: string
  /** What the collector wants to see, such as an `authorization`. */
  readonly headers?: Readonly<Record<string, string>>
  /** What the process calls itself. */
  readonly resource: Readonly<Record<string, string>>
  readonly timeoutMs?: number
  readonly flushAfterMs?: number
}

const SPANS_MAX = 2_048
const BATCH = 512
const FLUSH_AFTER_MS = 5_000
const TIMEOUT_MS = 10_000
const SERVER = 2
const ERROR = 2

/** Sends spans to a collector of OpenTelemetry, in batches, by OTLP over HTTP in JSON. What it does not take in time is lost. */
export class OtlpExporter {
  readonly #settings: OtlpSettings
  readonly #onError: (error: unknown, lost: number) => void
  #spans: Span[] = []
  #lost = 0
  #timer: ReturnType<typeof setTimeout> | undefined
  #sending: Promise<void> = Promise.resolve()

  /** `onError` hears of batches that could not be sent. */
  constructor(settings: OtlpSettings, onError: (error: unknown, lost: number) => void) {
    this.#settings = settings
    this.#onError = onError
  }

  /** Never waits, and never throws. */
  add(span: Span): void {
    if (this.#spans.length >= SPANS_MAX) {
      this.#lost++
      return
    }
    this.#spans.push(span)
    if (this.#spans.length >= BATCH) void this.flush()
    else if (this.#timer === undefined) {
      this.#timer = setTimeout(() => void this.flush(), this.#settings.flushAfterMs ?? FLUSH_AFTER_MS)
      this.#timer.unref()
    }
  }

  /** Sends what there is, after what is being sent. */
  flush(): Promise<void> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    this.#sending = this.#sending.then(() => this.#send())
    return this.#sending
  }

  async #send(): Promise<void> {
    while (this.#spans.length > 0) {
      const batch = this.#spans.splice(0, BATCH)
      try {
        await this.#post(batch)
      } catch (error) {
        this.#onError(error, batch.length + this.#lost)
        this.#lost = 0
      }
    }
  }

  async #post(spans: readonly Span[]): Promise<void> {
    const { endpoint, headers = {}, resource, timeoutMs = TIMEOUT_MS } = this.#settings
    const scopeSpans = [{ scope: { name: 'ecru' }, spans: spans.map(spanOf) }]
    const response = await fetch(`${endpoint.replace(/\/+$/, '')}/v1/traces`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify({ resourceSpans: [{ resource: { attributes: attributesOf(resource) }, scopeSpans }] }),
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`The collector of traces answered ${response.status}.`)
  }
}

function spanOf({ traceId, spanId, parentSpanId, name, startedAtMs, durationMs, isFailure, attributes }: Span): object {
  return {
    ...{ traceId, spanId, name, kind: SERVER },
    ...(parentSpanId === undefined ? {} : { parentSpanId }),
    startTimeUnixNano: nanosecondsOf(startedAtMs),
    endTimeUnixNano: nanosecondsOf(startedAtMs + durationMs),
    attributes: attributesOf(attributes),
    status: isFailure ? { code: ERROR } : {},
  }
}

function attributesOf(attributes: Readonly<Record<string, string | number>>): readonly object[] {
  return Object.entries(attributes).map(([key, value]) => ({
    key,
    value: typeof value === 'string' ? { stringValue: value } : { intValue: String(value) },
  }))
}

/** As text: no number of JSON holds it. */
function nanosecondsOf(ms: number): string {
  return String(BigInt(Math.round(ms * 1000)) * 1000n)
}
