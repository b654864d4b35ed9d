/** How a scanner is reached, and how it reaches us. */
export interface ScannerAdapterSettings {
  /** Without `/api/v1`. */
  readonly url: string
  /** The value of the header `Authorization`; absent: it wants none. */
  readonly authorization: string | undefined
  /** Where the scanner finds this registry. */
  readonly registryUrl: string
  /** What it is to show there, as the value of the header `Authorization`. */
  readonly registryAuthorization: string | undefined
  /** For a scan, with all waiting. */
  readonly timeoutMs: number
  /** Authorities, in PEM, that its certificate may come from. */
  readonly caCertificates?: string | undefined
}

const REQUEST_MEDIA_TYPE = 'application/vnd.scanner.adapter.scan.request+json; version=1.1'
const REPORT_MEDIA_TYPE = 'application/vnd.security.vulnerability.report; version=1.1'
const DATABASE_UPDATED_AT = 'harbor.scanner-adapter/vulnerability-database-updated-at'
const BYTES_MAX = 256 * 1024 * 1024
const REQUEST_MS = 60_000
const REFRESH_MS = { min: 100, usual: 1_000, max: 30_000 }
const ATTEMPTS_MAX = 3

/** A client of Harbor's scanner-adapter API 1.2 (https://github.com/goharbor/pluggable-scanner-spec). */
export class HarborScannerAdapter {
  readonly #settings: ScannerAdapterSettings

  constructor(settings: ScannerAdapterSettings) {
    this.#settings = settings
  }

  /** Asks for a scan and waits for its report. Throws `Error` with a sentence, and the signal's reason. */
  async report(
    {
      repository,
      digest,
      mediaType,
    }: { readonly repository: string; readonly digest: string; readonly mediaType: string },
    signal: AbortSignal,
  ): Promise<unknown> {
    const { registryUrl, registryAuthorization, timeoutMs } = this.#settings
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)])
    const body = JSON.stringify({
      registry: {
        url: registryUrl,
        ...(registryAuthorization === undefined ? {} : { authorization: registryAuthorization }),
      },
      artifact: { repository, digest, mime_type: mediaType },
      enabled_capabilities: [{ type: 'vulnerability', produces_mime_types: [REPORT_MEDIA_TYPE] }],
    })
    try {
      const headers = { 'content-type': REQUEST_MEDIA_TYPE }
      const accepted = await this.#ask('/api/v1/scan', { method: 'POST', headers, body }, deadline)
      if (accepted.status !== 202) throw new Error(await refusal(accepted))
      const { id } = (await json(accepted)) as { readonly id?: unknown }
      if (typeof id !== 'string' || id === '') throw new Error('it gave no id for the scan')
      return await this.#await(`/api/v1/scan/${encodeURIComponent(id)}/report`, deadline)
    } catch (thrown) {
      signal.throwIfAborted()
      if (deadline.aborted) throw new Error(`it took longer than ${timeoutMs / 1000} s`)
      throw thrown
    }
  }

  /** `undefined`: it does not say. Throws as `report` does. */
  async databaseUpdatedAt(signal: AbortSignal): Promise<Date | undefined> {
    const response = await this.#ask('/api/v1/metadata', { method: 'GET' }, signal)
    if (response.status !== 200) throw new Error(await refusal(response))
    const { properties } = (await json(response)) as { readonly properties?: Readonly<Record<string, unknown>> | null }
    const text = properties?.[DATABASE_UPDATED_AT]
    const moment = new Date(typeof text === 'string' ? text : '')
    return Number.isNaN(moment.getTime()) ? undefined : moment
  }

  async #await(path: string, signal: AbortSignal): Promise<unknown> {
    for (;;) {
      const response = await this.#ask(path, { method: 'GET', headers: { accept: REPORT_MEDIA_TYPE } }, signal)
      if (response.status === 200) return await json(response)
      if (response.status !== 302) throw new Error(await refusal(response))
      await response.body?.cancel()
      await pause(refreshMs(response.headers.get('refresh-after')), signal)
    }
  }

  /** Connections that fail are tried again: a scanner may be about to start. Redirects are answers, and never followed. */
  async #ask(path: string, request: RequestInit, signal: AbortSignal): Promise<Response> {
    const { url, authorization, caCertificates } = this.#settings
    for (let attempt = 1; ; attempt++) {
      const headers = new Headers(request.headers)
      if (authorization !== undefined) headers.set('authorization', authorization)
      const tls = caCertificates === undefined ? {} : { tls: { ca: caCertificates } }
      try {
        return await fetch(`${url.replace(/\/+$/, '')}${path}`, {
          ...request,
          ...tls,
          headers,
          redirect: 'manual',
          signal: AbortSignal.any([signal, AbortSignal.timeout(REQUEST_MS)]),
        })
      } catch (thrown) {
        signal.throwIfAborted()
        const reason = thrown instanceof Error ? thrown.message : String(thrown)
        if (attempt === ATTEMPTS_MAX) throw new Error(`it cannot be reached: ${reason}`)
        await pause(REFRESH_MS.usual * attempt, signal)
      }
    }
  }
}

async function json(response: Response): Promise<object> {
  const text = await textOf(response, BYTES_MAX)
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value
  } catch {
    // Said below.
  }
  throw new Error('it answered no JSON')
}

async function refusal(response: Response): Promise<string> {
  const text = await textOf(response, 4096).catch(() => '')
  let message = ''
  try {
    const { error } = JSON.parse(text) as { readonly error?: { readonly message?: unknown } }
    if (typeof error?.message === 'string') message = `: ${error.message.slice(0, 200)}`
  } catch {
    // Its status says enough.
  }
  return `it answered ${response.status}${message}`
}

async function textOf(response: Response, bytesMax: number): Promise<string> {
  const pieces: Uint8Array[] = []
  let sizeBytes = 0
  for await (const piece of response.body ?? []) {
    sizeBytes += piece.byteLength
    if (sizeBytes > bytesMax) throw new Error('its answer is too large')
    pieces.push(piece)
  }
  return Buffer.concat(pieces).toString('utf8')
}

/** In seconds, as adapters write it. */
function refreshMs(header: string | null): number {
  const seconds = Number(header ?? Number.NaN)
  if (!Number.isFinite(seconds)) return REFRESH_MS.usual
  return Math.min(REFRESH_MS.max, Math.max(REFRESH_MS.min, seconds * 1000))
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const aborted = () => {
      clearTimeout(timer)
      reject(signal.reason)
    }
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', aborted)
      resolve()
    }, ms)
    signal.addEventListener('abort', aborted, { once: true })
  })
}
