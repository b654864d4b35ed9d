import { upstreamDenied, upstreamWrong } from '../domain/upstream-errors.ts'
import type { Clock } from '../lib/clock.ts'
import { type Challenge, parseChallenges } from './challenge.ts'
import { type Answer, type ExchangeSettings, exchange, readWhole } from './exchange.ts'
import { failureOf } from './registry-failure.ts'

/** A name and what proves it: a password, an access token, whatever the registry takes as one. */
export interface Login {
  readonly username: string
  readonly password: string
}

/** Who one is to another registry. Asked again when a login was refused: `isRefused` says so, and what was cached is out of date. */
export type LoginSource = (isRefused: boolean) => Promise<Login | undefined>

interface BearerToken {
  readonly text: string
  readonly untilMs: number
}

const TOKENS_MAX = 1000
const TOKEN_BYTES_MAX = 256 * 1024
/** What a token service means that names no lifetime (Distribution, token specification). */
const LIFETIME_S_DEFAULT = 60
const LIFETIME_S_MAX = 12 * 60 * 60
/** A token is not used in its last seconds. */
const MARGIN_MS = 5_000

/** What authorises requests to one registry: nothing, Basic, or Bearer tokens by scope, as the registry asks for it. */
export class RegistryAuth {
  readonly #base: URL
  readonly #source: LoginSource
  readonly #settings: ExchangeSettings
  readonly #clock: Clock
  #isBasic = false
  readonly #tokens = new Map<string, BearerToken>()
  readonly #underWay = new Map<string, Promise<string>>()

  constructor(base: URL, source: LoginSource, settings: ExchangeSettings, clock: Clock) {
    this.#base = base
    this.#source = source
    this.#settings = settings
    this.#clock = clock
  }

  /** Whether a password is sent with each request. */
  get isBasic(): boolean {
    return this.#isBasic
  }

  /** What to send with a request of this scope, as far as is known before the registry has asked. */
  async header(scope: string): Promise<string | undefined> {
    if (this.#isBasic) return basic(await this.#source(false))
    const token = this.#tokens.get(scope)
    if (token === undefined) return undefined
    if (this.#clock.now().getTime() < token.untilMs) return `Bearer ${token.text}`
    this.#tokens.delete(scope)
    return undefined
  }

  /**
   * What to send instead of what was answered with 401; `undefined`: there is nothing better. Throws `upstream-denied` (the
   * token service refuses), `upstream-unavailable`, `upstream-rate-limited`, `upstream-wrong`.
   */
  async answerTo(unauthorized: Answer, scope: string, sent: string | undefined): Promise<string | undefined> {
    const challenges = parseChallenges(unauthorized.header('www-authenticate') ?? '')
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer')
    if (bearer !== undefined) {
      this.#tokens.delete(scope)
      return `Bearer ${await this.#tokenOnce(bearer, scope, sent !== undefined)}`
    }
    if (!challenges.some(({ scheme }) => scheme === 'basic')) return undefined
    const header = basic(await this.#source(sent !== undefined))
    if (header === undefined || header === sent) return undefined
    this.#isBasic = true
    return header
  }

  /** What to send instead of a password that is no longer taken; `undefined`: there is no other. */
  async renewed(sent: string): Promise<string | undefined> {
    const header = basic(await this.#source(true))
    return header === sent ? undefined : header
  }

  async #tokenOnce(challenge: Challenge, scope: string, isRefused: boolean): Promise<string> {
    const underWay = this.#underWay.get(scope)
    if (underWay !== undefined) return underWay
    const made = this.#fetchToken(challenge, scope, isRefused).finally(() => this.#underWay.delete(scope))
    this.#underWay.set(scope, made)
    return made
  }

  async #fetchToken({ parameters }: Challenge, scope: string, isRefused: boolean): Promise<string> {
    const { realm = '', service } = parameters
    if (!URL.canParse(realm)) throw upstreamWrong(`${this.#base.host} names no token service`)
    const url = new URL(realm)
    if (this.#base.protocol === 'https:' && url.protocol !== 'https:')
      throw upstreamWrong(`${this.#base.host} names a token service without TLS`)
    if (service !== undefined) url.searchParams.set('service', service)
    // The registry's own word counts more: some have scopes of their own.
    for (const one of (parameters.scope ?? scope).split(' ')) if (one !== '') url.searchParams.append('scope', one)
    const login = await this.#source(isRefused)
    if (login !== undefined) url.searchParams.set('account', login.username)
    const authorization = basic(login)
    const headers = { accept: 'application/json', ...(authorization === undefined ? {} : { authorization }) }
    const answer = await exchange(url, { method: 'GET', headers }, this.#settings)
    if (answer.status !== 200) {
      answer.discard()
      throw failureOf(answer, 'a token', this.#clock.now())
    }
    const token = readToken(await readWhole(answer, TOKEN_BYTES_MAX), url.host)
    if (token === undefined) throw upstreamDenied(`${url.host} gives no token`)
    if (this.#tokens.size >= TOKENS_MAX) this.#tokens.clear()
    const untilMs = this.#clock.now().getTime() + token.lifetimeMs - MARGIN_MS
    this.#tokens.set(scope, { text: token.text, untilMs })
    return token.text
  }
}

function basic(login: Login | undefined): string | undefined {
  if (login === undefined) return undefined
  return `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
}

function readToken(
  bytes: Uint8Array,
  host: string,
): { readonly text: string; readonly lifetimeMs: number } | undefined {
  let document: unknown
  try {
    document = JSON.parse(new TextDecoder().decode(bytes))
  } catch (cause) {
    throw upstreamWrong(`${host} answers no JSON`, { cause })
  }
  if (typeof document !== 'object' || document === null) throw upstreamWrong(`${host} answers no JSON object`)
  const { token, access_token, expires_in } = document as Readonly<Record<string, unknown>>
  const text = typeof token === 'string' && token !== '' ? token : access_token
  // A header holds printable characters alone.
  if (typeof text !== 'string' || !/^[\x21-\x7e]+$/.test(text)) return undefined
  const seconds = typeof expires_in === 'number' && expires_in > 0 ? expires_in : LIFETIME_S_DEFAULT
  return { text, lifetimeMs: Math.min(seconds, LIFETIME_S_MAX) * 1000 }
}
