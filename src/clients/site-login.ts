import { upstreamUnavailable, upstreamWrong } from '../domain/upstream-errors.ts'
import { type ExchangeSettings, exchange, readWhole } from './exchange.ts'
import type { Login } from './registry-auth.ts'

const ANSWER_BYTES_MAX = 256 * 1024
const TARGET = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken'

/**
 * A login for another installation, or for ECR, by GetAuthorizationToken with an access key of its own. Throws
 * `upstream-unavailable`, also where the key is refused: keys are rotated, and then it is let in again.
 */
export async function siteLogin(
  api: URL,
  region: string,
  key: { readonly accessKeyId: string; readonly secretAccessKey: string },
  settings: ExchangeSettings,
  signal?: AbortSignal,
): Promise<Login> {
  const [{ SignatureV4 }, { HttpRequest }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/protocol-http'),
    import('@aws-crypto/sha256-js'),
  ])
  const signer = new SignatureV4({ service: 'ecr', region, credentials: key, sha256: Sha256 })
  const headers = { host: api.host, 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': TARGET }
  const { protocol, hostname } = api
  const request = new HttpRequest({ method: 'POST', protocol, hostname, path: '/', headers, body: '{}' })
  const signed = await signer.sign(request)
  const answer = await exchange(
    api,
    { method: 'POST', headers: signed.headers, body: Buffer.from('{}'), signal },
    settings,
  )
  if (answer.status !== 200) {
    answer.discard()
    throw upstreamUnavailable(`${api.host} gives no login (${answer.status})`)
  }
  const text = new TextDecoder().decode(await readWhole(answer, ANSWER_BYTES_MAX))
  const token = /"authorizationToken"\s*:\s*"([A-Za-z0-9+/=_-]+)"/.exec(text)?.[1] ?? ''
  const decoded = Buffer.from(token, 'base64').toString('utf8')
  const colon = decoded.indexOf(':')
  if (colon < 1) throw upstreamWrong(`${api.host} answers no authorization token`)
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) }
}
