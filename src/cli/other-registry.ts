import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { RegistryClient } from '../clients/registry.ts'
import type { Login, LoginSource } from '../clients/registry-auth.ts'
import { type Digest, tryParseDigest } from '../domain/digest.ts'
import { systemClock } from '../lib/clock.ts'
import type { Flags } from './invocation.ts'
import { clientSettings, oncePerRefusal } from './registry-side.ts'
import { CommandFailure, CommandMisuse, type Terminal } from './terminal.ts'

/** A repository of another registry, or one image of it. */
export interface OtherRepository {
  readonly client: RegistryClient
  readonly repository: string
  readonly tag: string | undefined
  readonly digest: Digest | undefined
}

const ECR_HOST = /^[0-9]{12}\.dkr[.-]ecr(-fips)?\.([0-9a-z-]+)\.(amazonaws\.com(?:\.cn)?|on\.aws)$/
const DOCKER_HUB = ['docker.io', 'index.docker.io', 'registry-1.docker.io']
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])(:\d+)?$/

/** Reads `host/repository[:tag|@digest]`, as clients write it; without a host, Docker Hub is meant. */
export function openOther(text: string, flags: Flags, terminal: Terminal): OtherRepository {
  const [, scheme, rest = ''] = /^(?:(https?):\/\/|docker:\/\/)?(.+)$/.exec(text) ?? []
  const [first = '', ...parts] = rest.split('/')
  const isHost = parts.length > 0 && (/[.:]/.test(first) || first === 'localhost')
  const host = isHost ? first : 'docker.io'
  const path = isHost ? parts.join('/') : rest
  const [named = '', digestText] = path.split('@', 2)
  const colon = named.lastIndexOf(':')
  const repository = colon < 0 ? named : named.slice(0, colon)
  const digest = digestText === undefined ? undefined : tryParseDigest(digestText)
  if (repository === '' || (digestText !== undefined && digest === undefined))
    throw new CommandMisuse(`'${text}' names no repository: it should look like registry.example.com/team/app.`)
  const isHub = DOCKER_HUB.includes(host)
  const isPlain = scheme === 'http' || flags.plainHttp === true || (scheme === undefined && LOOPBACK.test(host))
  const base = new URL(`${isPlain ? 'http' : 'https'}://${isHub ? 'registry-1.docker.io' : host}`)
  return {
    client: new RegistryClient(
      base,
      loginFor(host, flags, terminal.env),
      clientSettings(flags.sourceCa, isPlain),
      systemClock,
    ),
    repository: isHub && !repository.includes('/') ? `library/${repository}` : repository,
    tag: colon < 0 ? undefined : named.slice(colon + 1),
    digest,
  }
}

/** What was given for it, ECR's own login, or what `docker login` has left. */
function loginFor(host: string, flags: Flags, env: Terminal['env']): LoginSource {
  if (typeof flags.sourceUser === 'string') {
    const login = { username: flags.sourceUser, password: env.SOURCE_PASSWORD ?? '' }
    return async () => login
  }
  const ecr = ECR_HOST.exec(host)
  if (ecr !== null) {
    const [, fips = '', region = '', suffix = ''] = ecr
    return oncePerRefusal(() => ecrLogin(`api.ecr${fips}.${region}.${suffix}`, host, env))
  }
  return oncePerRefusal(async () => dockerLogin(host, env))
}

async function ecrLogin(endpoint: string, host: string, env: Terminal['env']): Promise<Login> {
  const { helpWithCredentials } = await import('./credential-helper.ts')
  let said = ''
  const terminal = {
    env: { ...env, AWS_ENDPOINT_URL_ECR: env.AWS_ENDPOINT_URL_ECR || `https://${endpoint}` },
    out: (text: string) => {
      said += text
    },
    err: () => undefined,
  }
  if ((await helpWithCredentials('get', host, terminal)) !== 0) throw new CommandFailure(said.trim())
  const { Username: username, Secret: password } = JSON.parse(said) as { Username: string; Secret: string }
  return { username, password }
}

interface DockerConfig {
  readonly auths?: Readonly<Record<string, { readonly auth?: string }>>
  readonly credHelpers?: Readonly<Record<string, string>>
  readonly credsStore?: string
}

function dockerLogin(host: string, env: Terminal['env']): Login | undefined {
  const file = join(env.DOCKER_CONFIG || join(env.HOME || homedir(), '.docker'), 'config.json')
  if (!existsSync(file)) return undefined
  const { auths = {}, credHelpers = {}, credsStore } = JSON.parse(readFileSync(file, 'utf8')) as DockerConfig
  const names = DOCKER_HUB.includes(host) ? ['https://index.docker.io/v1/', ...DOCKER_HUB] : [host, `https://${host}`]
  for (const name of names) {
    const helper = credHelpers[name] ?? (Object.hasOwn(auths, name) ? credsStore : undefined)
    const login = helper === undefined ? plainLogin(auths[name]?.auth) : helperLogin(helper, name)
    if (login !== undefined) return login
  }
  return undefined
}

function plainLogin(auth: string | undefined): Login | undefined {
  const text = Buffer.from(auth ?? '', 'base64').toString()
  const colon = text.indexOf(':')
  return colon < 0 ? undefined : { username: text.slice(0, colon), password: text.slice(colon + 1) }
}

function helperLogin(helper: string, name: string): Login | undefined {
  if (!/^[\w.-]+$/.test(helper)) return undefined
  try {
    const said = execFileSync(`docker-credential-${helper}`, ['get'], {
      input: name,
      stdio: ['pipe', 'pipe', 'ignore'],
    })
    const { Username: username, Secret: password } = JSON.parse(said.toString()) as Readonly<Record<string, string>>
    return username && password ? { username, password } : undefined
  } catch {
    return undefined
  }
}
