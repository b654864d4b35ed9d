import type { JWK } from 'jose'
import { isObject } from '../domain/json-values.ts'
import { identityProviderUnreachable, invalidIdentityToken } from '../domain/sts-errors.ts'
import type { Clock } from '../lib/clock.ts'
import { FetchRefused, type PublicFetchSettings, publicFetch } from './public-fetch.ts'

const KEYS_MAX = 100
const ISSUERS_MAX = 1000
const FRESH_MS_DEFAULT = 60 * 60_000
const FRESH_MS_MIN = 60_000
const FRESH_MS_MAX = 6 * 60 * 60_000
/** An unknown key id is looked for again no sooner. */
const LOOK_AGAIN_MS = 60_000
/** A provider that failed is left alone for so long. */
const REST_MS = 5_000

interface KeySet {
  readonly keys: readonly JWK[]
  readonly jwksUrl: string
  readonly etag: string | undefined
  readonly fetchedAtMs: number
  readonly freshUntilMs: number
}

interface Failure {
  readonly error: unknown
  readonly untilMs: number
}

/**
 * The public keys of OpenID Connect issuers: found by their discovery document, kept while fresh, revalidated afterwards.
 * An issuer is asked by one request at a time. Throws `identity-provider-unreachable` and `identity-token-invalid`.
 */
export class IssuerKeys {
  readonly #settings: PublicFetchSettings
  readonly #clock: Clock
  readonly #sets = new Map<string, KeySet>()
  readonly #failures = new Map<string, Failure>()
  readonly #underWay = new Map<string, Promise<KeySet>>()

  constructor(settings: PublicFetchSettings, clock: Clock) {
    this.#settings = settings
    this.#clock = clock
  }

  /** The keys of an issuer, by its URL; looked for anew when they are stale, or when none has this id. */
  async find(issuer: string, keyId: string | undefined): Promise<readonly JWK[]> {
    const nowMs = this.#clock.now().getTime()
    const known = this.#sets.get(issuer)
    if (known !== undefined && nowMs < known.freshUntilMs) {
      const isKnown = keyId === undefined || known.keys.some(({ kid }) => kid === keyId)
      if (isKnown || nowMs - known.fetchedAtMs < LOOK_AGAIN_MS) return known.keys
    }
    return (await this.#fetchOnce(issuer, known)).keys
  }

  async #fetchOnce(issuer: string, known: KeySet | undefined): Promise<KeySet> {
    const underWay = this.#underWay.get(issuer)
    if (underWay !== undefined) return underWay
    const failure = this.#failures.get(issuer)
    if (failure !== undefined && this.#clock.now().getTime() < failure.untilMs) throw failure.error
    const fetched = this.#fetch(issuer, known)
      .then((set) => {
        if (this.#sets.size >= ISSUERS_MAX) this.#sets.clear()
        this.#sets.set(issuer, set)
        this.#failures.delete(issuer)
        return set
      })
      .catch((error: unknown) => {
        if (this.#failures.size >= ISSUERS_MAX) this.#failures.clear()
        this.#failures.set(issuer, { error, untilMs: this.#clock.now().getTime() + REST_MS })
        throw error
      })
      .finally(() => this.#underWay.delete(issuer))
    this.#underWay.set(issuer, fetched)
    return fetched
  }

  async #fetch(issuer: string, known: KeySet | undefined): Promise<KeySet> {
    try {
      const jwksUrl = await this.#discover(issuer)
      const etag = known?.jwksUrl === jwksUrl ? known.etag : undefined
      const { status, text, cacheControl, ...answer } = await publicFetch(jwksUrl, this.#settings, etag)
      const fetchedAtMs = this.#clock.now().getTime()
      const freshUntilMs = fetchedAtMs + freshMs(cacheControl)
      if (status === 304 && known !== undefined) return { ...known, fetchedAtMs, freshUntilMs }
      if (status !== 200) throw new FetchRefused(`The key set answers ${status}`)
      return { keys: readKeys(text), jwksUrl, etag: answer.etag, fetchedAtMs, freshUntilMs }
    } catch (cause) {
      if (!(cause instanceof FetchRefused)) throw cause
      throw identityProviderUnreachable(
        `Couldn't retrieve verification key from your identity provider: ${cause.message}`,
        {
          cause,
        },
      )
    }
  }

  async #discover(issuer: string): Promise<string> {
    const url = `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`
    const { status, text } = await publicFetch(url, this.#settings)
    if (status !== 200) throw new FetchRefused(`The discovery document answers ${status}`)
    const document = parseObject(text)
    if (document.issuer !== issuer)
      throw invalidIdentityToken('The issuer of the discovery document is not the issuer of the token')
    if (typeof document.jwks_uri !== 'string') throw new FetchRefused('The discovery document names no key set')
    return document.jwks_uri
  }
}

function readKeys(text: string): readonly JWK[] {
  const { keys } = parseObject(text)
  if (!Array.isArray(keys)) throw new FetchRefused('The key set holds no keys')
  if (keys.length > KEYS_MAX) throw new FetchRefused(`The key set holds more than ${KEYS_MAX} keys`)
  // Only public keys of signatures: a symmetric one would be no secret.
  return keys.filter(
    (key: unknown): key is JWK =>
      isObject(key) && ['RSA', 'EC', 'OKP'].includes(String(key.kty)) && (key.use ?? 'sig') === 'sig',
  )
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (isObject(value)) return value
  } catch (cause) {
    throw new FetchRefused('The identity provider answers no JSON', { cause })
  }
  throw new FetchRefused('The identity provider answers no JSON object')
}

function freshMs(cacheControl: string): number {
  const seconds = /(?:^|[\s,])max-age=(\d{1,9})(?:$|[\s,])/i.exec(cacheControl)?.[1]
  const wanted = seconds === undefined ? FRESH_MS_DEFAULT : Number(seconds) * 1000
  return Math.min(Math.max(wanted, FRESH_MS_MIN), FRESH_MS_MAX)
}
