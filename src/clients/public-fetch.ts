import { lookup as resolve } from 'node:dns/promises'
import { request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { request as httpsRequest } from 'node:https'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import { isPublicAddress } from '../lib/public-address.ts'

/** How documents of strangers are fetched. */
export interface PublicFetchSettings {
  /** Also from private, loopback and link-local addresses. */
  readonly allowsPrivateAddresses: boolean
  /** Also without TLS. */
  readonly allowsHttp: boolean
  /** Certificates (PEM) that are trusted beside the usual ones. */
  readonly caCertificates?: string | undefined
  readonly timeoutMs: number
  readonly bytesMax: number
  /** All addresses of a host name; for tests. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

export interface FetchedDocument {
  readonly status: number
  readonly etag: string | undefined
  readonly cacheControl: string
  readonly text: string
}

/** The document cannot be had; the message says why, in words that may be shown. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused'
}

const REDIRECTS_MAX = 3

/**
 * Fetches a small document from an address that somebody else chose. A host's addresses are judged once resolved, and the
 * connection goes to the judged one, so that no second answer of a name server can lead elsewhere. Redirects are followed
 * on the same host and scheme alone. Bounded in size and time. Throws `FetchRefused`.
 */
export async function publicFetch(url: string, settings: PublicFetchSettings, etag?: string): Promise<FetchedDocument> {
  const signal = AbortSignal.timeout(settings.timeoutMs)
  let current = parse(url, settings)
  for (let hops = 0; ; hops++) {
    const response = await ask(current, settings, signal, etag)
    const { statusCode: status = 0, headers } = response
    if (status < 300 || status >= 400 || status === 304) {
      const text = await read(response, settings.bytesMax, current)
      return { status, etag: headers.etag, cacheControl: headers['cache-control'] ?? '', text }
    }
    response.destroy()
    const next = parse(new URL(headers.location ?? '', current).href, settings)
    if (next.origin !== current.origin) throw new FetchRefused(`${current.host} redirects to another host`)
    if (hops === REDIRECTS_MAX) throw new FetchRefused(`${current.host} redirects too often`)
    current = next
  }
}

function parse(text: string, { allowsHttp }: PublicFetchSettings): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) throw new FetchRefused('This is no address')
  if (url.protocol === 'http:' && !allowsHttp) throw new FetchRefused(`${url.host} is not asked without TLS`)
  if (url.username !== '' || url.password !== '') throw new FetchRefused(`The address of ${url.host} holds credentials`)
  return url
}

async function ask(url: URL, settings: PublicFetchSettings, signal: AbortSignal, etag?: string) {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const address = await addressOf(host, settings)
  const isSecure = url.protocol === 'https:'
  const options: RequestOptions = {
    host,
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    method: 'GET',
    agent: false,
    signal,
    headers: { accept: 'application/json', host: url.host, ...(etag === undefined ? {} : { 'if-none-match': etag }) },
    // The connection goes to the address that was judged, whatever a name server says now.
    lookup: lookupOf(address),
    ...(isSecure && settings.caCertificates !== undefined
      ? { ca: [...rootCertificates, settings.caCertificates] }
      : {}),
  }
  return new Promise<IncomingMessage>((answered, failed) => {
    const request = (isSecure ? httpsRequest : httpRequest)(options, answered)
    request.on('error', (cause) => failed(refused(url, signal, cause)))
    request.end()
  })
}

async function addressOf(host: string, settings: PublicFetchSettings): Promise<string> {
  const addresses = isIP(host) === 0 ? await resolveHost(host, settings) : [host]
  const [address] = addresses
  if (address === undefined) throw new FetchRefused(`${host} has no address`)
  if (!settings.allowsPrivateAddresses && !addresses.every(isPublicAddress))
    throw new FetchRefused(`${host} is not on the public internet`)
  return address
}

async function resolveHost(host: string, settings: PublicFetchSettings): Promise<readonly string[]> {
  try {
    if (settings.resolve !== undefined) return await settings.resolve(host)
    return (await resolve(host, { all: true })).map(({ address }) => address)
  } catch (cause) {
    throw new FetchRefused(`${host} has no address`, { cause })
  }
}

function lookupOf(address: string): NonNullable<RequestOptions['lookup']> {
  const family = isIP(address)
  return (_host, options, done) =>
    options.all === true ? done(null, [{ address, family }]) : done(null, address, family)
}

async function read(response: IncomingMessage, bytesMax: number, url: URL): Promise<string> {
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Uint8Array>) {
      size += chunk.length
      if (size > bytesMax) throw new FetchRefused(`${url.host} answers more than ${bytesMax} bytes`)
      chunks.push(chunk)
    }
  } catch (cause) {
    if (cause instanceof FetchRefused) throw cause
    throw new FetchRefused(`${url.host} broke off its answer`, { cause })
  } finally {
    response.destroy()
  }
  return Buffer.concat(chunks).toString('utf8')
}

function refused(url: URL, signal: AbortSignal, cause: unknown): FetchRefused {
  const reason = signal.aborted ? 'does not answer in time' : 'cannot be reached, or its certificate is not trusted'
  return new FetchRefused(`${url.host} ${reason}`, { cause })
}
