import { Sha256 } from '@aws-crypto/sha256-js'
import { HttpRequest } from '@smithy/protocol-http'
import { SignatureV4 } from '@smithy/signature-v4'

export interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

export interface ToSign {
  readonly method?: string
  readonly url?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
  readonly service?: string
  readonly region?: string
  readonly at?: Date
  readonly credentials?: Credentials
  /** Add `x-amz-content-sha256`. */
  readonly withChecksum?: boolean
}

export const KEY: Credentials = {
  accessKeyId: 'AKIDEXAMPLEEXAMPLE12',
  secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
}

export const NOW = new Date('2026-01-01T12:00:00Z')

/** A request signed by the AWS SDK's own signer. */
export async function signed(toSign: ToSign = {}): Promise<Request> {
  const { request, signer, at } = prepared(toSign)
  return toRequest(await signer.sign(request, { signingDate: at }))
}

/** The same, signed in the query. */
export async function presigned(toSign: ToSign & { readonly expiresIn?: number } = {}): Promise<Request> {
  const { request, signer, at } = prepared(toSign)
  return toRequest(await signer.presign(request, { signingDate: at, expiresIn: toSign.expiresIn ?? 60 }))
}

function prepared({
  method = 'POST',
  url = 'http://localhost:4566/',
  headers = {},
  body = '',
  service = 'ecr',
  region = 'eu-west-3',
  at = NOW,
  credentials = KEY,
  withChecksum = false,
}: ToSign) {
  const { protocol, hostname, host, port, pathname, searchParams } = new URL(url)
  const query = Object.fromEntries(
    [...new Set(searchParams.keys())].map((name) => [name, searchParams.getAll(name)] as const),
  )
  const request = new HttpRequest({
    method,
    protocol,
    hostname,
    ...(port === '' ? {} : { port: Number(port) }),
    path: pathname,
    query,
    headers: { host, ...headers },
    body,
  })
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: withChecksum })
  return { request, signer, at }
}

function toRequest(
  signedRequest: Awaited<ReturnType<SignatureV4['sign']>> | Awaited<ReturnType<SignatureV4['presign']>>,
) {
  const { method, headers, body, path, query = {}, port, hostname, protocol } = signedRequest as HttpRequest
  const pairs = Object.entries(query).flatMap(([name, value]) =>
    [value].flat().map((one) => `${encodeURIComponent(name)}=${encodeURIComponent(one ?? '')}`),
  )
  const search = pairs.length === 0 ? '' : `?${pairs.join('&')}`
  const url = `${protocol}//${hostname}${port === undefined ? '' : `:${port}`}${path}${search}`
  return new Request(url, { method, headers, ...(method === 'GET' || body === '' ? {} : { body }) })
}
