import { existsSync, readFileSync } from 'node:fs'
import { type Config, readConfig } from '../config/config.ts'
import { originalOfRule } from '../domain/mirrors.ts'
import { ROOT } from '../domain/pull-through.ts'
import { printPlan } from './client-plan.ts'
import { findTarget } from './find-target.ts'
import type { Invocation } from './invocation.ts'
import { MIRROR_PLANS, type MirrorCache, type MirrorClient } from './mirror-plans.ts'
import { signerFrom, type Target } from './operator-client.ts'
import { signedHeaders } from './signed-headers.ts'
import { CommandFailure, EXIT, type Terminal } from './terminal.ts'

/** `ecru mirror print`: what makes a client ask this registry for the images that it caches, by its pull-through cache rules. */
export async function printMirror(client: string, { options, flags, terminal }: Invocation): Promise<number> {
  const plan = Object.hasOwn(MIRROR_PLANS, client) ? MIRROR_PLANS[client as MirrorClient] : undefined
  if (plan === undefined)
    throw new CommandFailure(`'${client}' is not a client that is known: ${Object.keys(MIRROR_PLANS).join(', ')}.`)
  const { config } = readConfig(terminal.env, options)
  const target = findTarget(config, flags.url)
  if (target === undefined) throw new CommandFailure('No server runs here: start it, or name one with --url.')
  const url = addressOf(target, flags.address)
  const caches = await cachesOf(config, target, terminal, flags.region)
  if (caches.length === 0) throw new CommandFailure('There is no pull-through cache rule: nothing is cached here yet.')
  const token = typeof flags.tokenFile === 'string' ? readToken(flags.tokenFile) : undefined
  printPlan(plan({ url, caches, token, has: existsSync }), terminal)
  if (token === undefined && client !== 'podman')
    terminal.err('Without --token-file clients come without credentials, which ECRU_MIRROR_USER has to allow.\n')
  return EXIT.ok
}

/** By which clients reach the server, where that is another address than ours. */
function addressOf(target: Target, given: unknown): URL {
  if (given === undefined) return new URL(target.url)
  const url = typeof given === 'string' && URL.canParse(given) ? new URL(given) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.pathname !== '/')
    throw new CommandFailure(`--address must be such as https://registry.example.com, not '${String(given)}'.`)
  return url
}

async function cachesOf(config: Config, target: Target, terminal: Terminal, given: unknown) {
  const region = typeof given === 'string' ? given : config.defaultRegistry.region
  const own = { accessKeyId: config.defaultRegistry.registryId, secretAccessKey: 'dev' }
  const signer = signerFrom(config, terminal.env) ?? own
  const caches: MirrorCache[] = []
  for (let nextToken: string | undefined, isFirst = true; isFirst || nextToken !== undefined; isFirst = false) {
    const url = new URL('/', target.url)
    const body = JSON.stringify({ nextToken })
    const headers = {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.DescribePullThroughCacheRules',
    }
    const signed = await signedHeaders(url, { method: 'POST', region, headers, body }, signer)
    const answer = await ask(target, url, { method: 'POST', headers: { ...headers, ...signed }, body })
    caches.push(...(answer.pullThroughCacheRules ?? []).flatMap(cacheOf))
    nextToken = answer.nextToken
  }
  return caches
}

interface Rule {
  readonly ecrRepositoryPrefix: string
  readonly upstreamRegistryUrl: string
  readonly upstreamRepositoryPrefix?: string
}

interface Answer {
  readonly pullThroughCacheRules?: readonly Rule[]
  readonly nextToken?: string
  readonly message?: string
}

async function ask(target: Target, url: URL, request: RequestInit): Promise<Answer> {
  const tls = target.isLocal ? { tls: { rejectUnauthorized: false } } : {}
  let response: Response
  try {
    response = await fetch(url, { ...request, ...tls, redirect: 'error' } as BunFetchRequestInit)
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new CommandFailure(`The server at ${target.url} cannot be reached: ${reason}`, { cause })
  }
  const answer = (await response.json().catch(() => ({}))) as Answer
  if (response.ok) return answer
  throw new CommandFailure(
    `${target.url} refused (${response.status}): ${answer.message ?? ''}\nSet AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to a key that may describe pull-through cache rules.`,
  )
}

function cacheOf(rule: Rule): readonly MirrorCache[] {
  const original = originalOfRule({ upstreamUrl: rule.upstreamRegistryUrl })
  if (original === undefined) return []
  const plain = (prefix = ROOT) => (prefix === ROOT ? '' : prefix.replace(/\/$/, ''))
  return [{ original, upstreamPrefix: plain(rule.upstreamRepositoryPrefix), prefix: plain(rule.ecrRepositoryPrefix) }]
}

function readToken(path: string): string {
  let text: string
  try {
    text = readFileSync(path, 'utf8').trim()
  } catch (cause) {
    throw new CommandFailure(`The token cannot be read from ${path}.`, { cause })
  }
  if (!/^[\x21-\x7e]+$/.test(text) || text.includes(':')) throw new CommandFailure(`${path} holds no token.`)
  return text
}
