import { existsSync, readFileSync } from 'node:fs'
import { isLoopbackHost } from '../config/addresses.ts'
import { type Signer, signedHeaders } from './signed-headers.ts'
import { EXIT, type Terminal } from './terminal.ts'

/** `A.dkr.ecr.R.<suffix>` and `A.dkr-ecr.R.<suffix>`: account and region of the registry. */
const ECR_HOST = /^([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.([0-9a-z-]+)\./

/** Where `ecru trust` and people put the authorities of registries. */
const AUTHORITIES = ['/etc/docker/certs.d', '/etc/containers/certs.d']

/** What docker takes as "go on without credentials". */
const NOTHING_FOUND = 'credentials not found in native keychain'

/** The helper cannot help; docker shows the message. */
class HelperFailure extends Error {}

/**
 * `ecru credential-helper`: answers docker's protocol for credential helpers. `get` reads a registry's host from `input` and
 * answers a login for it, got with the AWS credentials and the region of the usual places (variables, profiles, SSO, web
 * identity, …). Nothing is kept, so there is nothing to store or to erase.
 */
export async function helpWithCredentials(action: string, input: string, terminal: Terminal): Promise<number> {
  try {
    switch (action) {
      case 'get':
        terminal.out(`${JSON.stringify(await login(input.trim(), terminal.env))}\n`)
        return EXIT.ok
      case 'erase':
        return EXIT.ok
      case 'list':
        terminal.out('{}\n')
        return EXIT.ok
      case 'store':
        throw new HelperFailure(
          'logins come from AWS credentials here, and nothing is stored: no docker login is needed',
        )
      default:
        throw new HelperFailure(`'${action}' is none of get, store, erase and list`)
    }
  } catch (failure) {
    if (!(failure instanceof HelperFailure)) throw failure
    // The protocol wants it on standard output.
    terminal.out(`${failure.message}\n`)
    return EXIT.failed
  }
}

interface Login {
  readonly ServerURL: string
  readonly Username: string
  readonly Secret: string
}

async function login(serverUrl: string, env: Terminal['env']): Promise<Login> {
  const host = hostOf(serverUrl)
  const [, account, named] = ECR_HOST.exec(host) ?? []
  const region = named ?? (await configuredRegion(env))
  const body = JSON.stringify(account === undefined ? {} : { registryIds: [account] })
  const credentials = await findCredentials()
  const endpoint = env.AWS_ENDPOINT_URL_ECR || env.AWS_ENDPOINT_URL
  let failure: unknown
  for (const origin of endpoint ? [endpoint] : originsOf(host)) {
    try {
      const token = await authorizationToken(new URL('/', origin), region, credentials, body, authoritiesFor(host, env))
      const [Username = '', Secret = ''] = Buffer.from(token, 'base64').toString().split(':')
      return { ServerURL: serverUrl, Username, Secret }
    } catch (thrown) {
      if (thrown instanceof HelperFailure) throw thrown
      failure ??= thrown
    }
  }
  throw new HelperFailure(`${host} cannot be asked for a login: ${reasonOf(failure)}`)
}

function hostOf(serverUrl: string): string {
  const url = URL.canParse(serverUrl) && serverUrl.includes('://') ? serverUrl : `https://${serverUrl}`
  if (serverUrl === '' || !URL.canParse(url)) throw new HelperFailure(`'${serverUrl}' is not a registry's address`)
  return new URL(url).host
}

/** A registry on this machine may do without TLS; no other gets a signature in clear. */
function originsOf(host: string): readonly string[] {
  const name = new URL(`https://${host}`).hostname.replace(/^\[|\]$/g, '')
  return isLoopbackHost(name) ? [`https://${host}`, `http://${host}`] : [`https://${host}`]
}

async function findCredentials(): Promise<Signer> {
  const { defaultProvider } = await import('@aws-sdk/credential-provider-node')
  try {
    return await defaultProvider()()
  } catch (cause) {
    const { name, message } = cause as Error
    // Docker goes on without a login, and the registry's own refusal is what the user reads.
    if (name === 'CredentialsProviderError' && /Could not load credentials from any providers/.test(message))
      throw new HelperFailure(NOTHING_FOUND)
    throw new HelperFailure(`no AWS credentials can be had: ${message}`)
  }
}

async function configuredRegion(env: Terminal['env']): Promise<string> {
  const { loadConfig, NODE_REGION_CONFIG_FILE_OPTIONS, NODE_REGION_CONFIG_OPTIONS } = await import(
    '@smithy/core/config'
  )
  const load = loadConfig(NODE_REGION_CONFIG_OPTIONS, NODE_REGION_CONFIG_FILE_OPTIONS)
  const region = await load().catch(() => env.AWS_DEFAULT_REGION)
  if (region) return region
  throw new HelperFailure('the registry has no region in its name: set AWS_REGION, or the region of the AWS profile')
}

async function authorizationToken(
  url: URL,
  region: string,
  credentials: Signer,
  body: string,
  ca: readonly string[],
): Promise<string> {
  const headers = {
    'content-type': 'application/x-amz-json-1.1',
    'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken',
  }
  const sent = await signedHeaders(url, { method: 'POST', region, headers, body }, credentials)
  const tls = ca.length === 0 ? {} : { tls: { ca: [...ca] } }
  const response = await fetch(url, { method: 'POST', headers: sent, body, redirect: 'error', ...tls })
  const text = await response.text()
  const answer = parse(text)
  const token = answer?.authorizationData?.[0]?.authorizationToken
  if (response.ok && token !== undefined) return token
  throw new HelperFailure(`${url.host} refused (${response.status}): ${answer?.message ?? text.slice(0, 200)}`)
}

interface TokenAnswer {
  readonly message?: string
  readonly authorizationData?: readonly { readonly authorizationToken?: string }[]
}

function parse(text: string): TokenAnswer | undefined {
  try {
    return JSON.parse(text) as TokenAnswer
  } catch {
    return undefined
  }
}

/** Those that somebody named for this registry, instead of those that everybody trusts. */
function authoritiesFor(host: string, { AWS_CA_BUNDLE: bundle }: Terminal['env']): readonly string[] {
  const files = [...AUTHORITIES.map((directory) => `${directory}/${host}/ca.crt`), ...(bundle ? [bundle] : [])]
  return files.filter((file) => existsSync(file)).map((file) => readFileSync(file, 'utf8'))
}

function reasonOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
