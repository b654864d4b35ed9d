import type { RegistryError } from '../domain/errors.ts'
import { upstreamDenied, upstreamWrong } from '../domain/upstream-errors.ts'
import { type ExchangeSettings, exchange, readWhole } from './exchange.ts'
import type { Login } from './registry-auth.ts'
import { failureOf } from './registry-failure.ts'

interface AwsKey {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

const ANSWER_BYTES_MAX = 256 * 1024
const SESSION_NAME = 'ecru-pull-through'

/**
 * A login for a private ECR, by GetAuthorizationToken, as a role where one is named. Whose keys sign is told by the process's own AWS
 * settings: variables, profile, web identity, instance. `endpoint`: where a host of AWS is asked. Throws `upstream-denied`,
 * `upstream-unavailable`, `upstream-wrong`.
 */
export async function ecrLogin(
  { accountId, region }: { readonly accountId: string; readonly region: string },
  roleArn: string | undefined,
  endpoint: (host: string) => URL,
  settings: ExchangeSettings,
): Promise<Login> {
  const own = await ownKey()
  const suffix = region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
  const key =
    roleArn === undefined ? own : await assume(roleArn, endpoint(`sts.${region}.${suffix}`), region, own, settings)
  const text = await post(
    endpoint(`api.ecr.${region}.${suffix}`),
    { service: 'ecr', region },
    {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
    },
    JSON.stringify({ registryIds: [accountId] }),
    key,
    settings,
  )
  const token = /"authorizationToken"\s*:\s*"([A-Za-z0-9+/=_-]+)"/.exec(text)?.[1] ?? ''
  const [username = '', password = ''] = Buffer.from(token, 'base64').toString('utf8').split(':', 2)
  if (username === '' || password === '') throw upstreamWrong('ECR answers no authorization token')
  return { username, password }
}

async function ownKey(): Promise<AwsKey> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  try {
    return await defaultProvider()()
  } catch {
    throw upstreamDenied('There are no AWS credentials to log in to ECR with')
  }
}

async function assume(
  roleArn: string,
  url: URL,
  region: string,
  key: AwsKey,
  settings: ExchangeSettings,
): Promise<AwsKey> {
  const form = { Action: 'AssumeRole', Version: '2011-06-15', RoleArn: roleArn, RoleSessionName: SESSION_NAME }
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const text = await post(url, { service: 'sts', region }, headers, String(new URLSearchParams(form)), key, settings)
  const find = (name: string) => new RegExp(`<${name}>([^<]+)</${name}>`).exec(text)?.[1]
  const accessKeyId = find('AccessKeyId')
  const secretAccessKey = find('SecretAccessKey')
  if (accessKeyId === undefined || secretAccessKey === undefined) throw upstreamWrong('STS answers no credentials')
  return { accessKeyId, secretAccessKey, sessionToken: find('SessionToken') }
}

async function post(
  url: URL,
  scope: { readonly service: string; readonly region: string },
  headers: Readonly<Record<string, string>>,
  body: string,
  credentials: AwsKey,
  settings: ExchangeSettings,
): Promise<string> {
  const [{ SignatureV4 }, { HttpRequest }, { Sha256 }] = await Promise.all([
    import('@smithy/signature-v4'),
    import('@smithy/protocol-http'),
    import('@aws-crypto/sha256-js'),
  ])
  const { accessKeyId, secretAccessKey, sessionToken } = credentials
  const signer = new SignatureV4({
    ...scope,
    credentials: { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) },
    sha256: Sha256,
  })
  const { protocol, hostname, host } = url
  const request = { method: 'POST', protocol, hostname, path: '/', headers: { ...headers, host }, body }
  const signed = await signer.sign(new HttpRequest(request))
  const answer = await exchange(url, { method: 'POST', headers: signed.headers, body: Buffer.from(body) }, settings)
  if (answer.status === 200) return new TextDecoder().decode(await readWhole(answer, ANSWER_BYTES_MAX))
  answer.discard()
  throw refusal(answer.status) ?? failureOf(answer, 'a login', new Date())
}

/** AWS refuses with 400 whoever may not. */
function refusal(status: number): RegistryError | undefined {
  return status === 400 ? upstreamDenied('AWS refuses the credentials, or what they ask for') : undefined
}
