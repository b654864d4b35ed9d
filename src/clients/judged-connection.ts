import { lookup as resolve } from 'node:dns/promises'
import type { RequestOptions } from 'node:http'
import { isIP } from 'node:net'
import { rootCertificates } from 'node:tls'
import { isPublicAddress } from '../lib/public-address.ts'

/** To which addresses connections may go, and whose certificates count. */
export interface ConnectionRules {
  /** Also to private, loopback and link-local addresses. */
  readonly allowsPrivateAddresses: boolean
  /** Also without TLS. */
  readonly allowsHttp: boolean
  /** Certificates (PEM) that are trusted beside the usual ones. */
  readonly caCertificates?: string | undefined
  /** All addresses of a host name; for tests. */
  readonly resolve?: (host: string) => Promise<readonly string[]>
}

/** No connection goes there; the message says why, in words that may be shown. */
export class FetchRefused extends Error {
  override readonly name = 'FetchRefused'
}

/** Reads an address that somebody else chose. Throws `FetchRefused`. */
export function parseAddress(text: string, { allowsHttp }: Pick<ConnectionRules, 'allowsHttp'>): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !['https:', 'http:'].includes(url.protocol)) throw new FetchRefused('This is no address')
  if (url.protocol === 'http:' && !allowsHttp) throw new FetchRefused(`${url.host} is not asked without TLS`)
  if (url.username !== '' || url.password !== '') throw new FetchRefused(`The address of ${url.host} holds credentials`)
  return url
}

/** Where the host of a URL is, by an address that was judged. */
export interface JudgedPlace {
  /** The name that its certificate has to have. */
  readonly host: string
  readonly address: string
  /** The authorities that are trusted, where they are others than the usual ones. */
  readonly ca: readonly string[] | undefined
}

/**
 * Where a request to a URL goes. All addresses of its host are judged once resolved, and the connection goes to a judged
 * one, so that no second answer of a name server can lead elsewhere. Throws `FetchRefused`.
 */
export async function judgedPlace(url: URL, rules: ConnectionRules): Promise<JudgedPlace> {
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const ca = rules.caCertificates === undefined ? undefined : [...rootCertificates, rules.caCertificates]
  return { host, address: await addressOf(host, rules), ca }
}

/** The same in the words of `node:http`. */
export async function judgedConnection(url: URL, rules: ConnectionRules): Promise<RequestOptions> {
  const { host, address, ca } = await judgedPlace(url, rules)
  const isSecure = url.protocol === 'https:'
  return {
    host,
    port: url.port === '' ? (isSecure ? 443 : 80) : Number(url.port),
    path: `${url.pathname}${url.search}`,
    agent: false,
    lookup: lookupOf(address),
    ...(isSecure && ca !== undefined ? { ca: [...ca] } : {}),
  }
}

async function addressOf(host: string, rules: ConnectionRules): Promise<string> {
  const addresses = isIP(host) === 0 ? await resolveHost(host, rules) : [host]
  const [address] = addresses
  if (address === undefined) throw new FetchRefused(`${host} has no address`)
  if (!rules.allowsPrivateAddresses && !addresses.every(isPublicAddress))
    throw new FetchRefused(`${host} is not on the public internet`)
  return address
}

async function resolveHost(host: string, rules: ConnectionRules): Promise<readonly string[]> {
  try {
    if (rules.resolve !== undefined) return await rules.resolve(host)
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
