import { isRegistryError, tokenExpired, tokenInvalid } from '../domain/errors.ts'
import { isRegion, isRegistryId, type Region, type Registry } from '../domain/names.ts'
import { ANONYMOUS, type Principal, rootPrincipal, userPrincipal } from '../domain/principal.ts'
import { PUBLIC_REGION, publicRegistry } from '../domain/public-registry.ts'
import type { Clock } from '../lib/clock.ts'
import type { Ids } from '../lib/ids.ts'
import { Once } from '../lib/once.ts'
import type { MetadataStore } from '../stores/metadata.ts'

/** How long a login token lives: 12 hours, as ECR's. */
export const TOKEN_LIFETIME_MS = 12 * 3600 * 1000

const ISSUER = 'ecru'
const AUDIENCE = 'registry-login'
/** Verified tokens kept, so that a client's many requests cost one verification. */
const REMEMBERED_MAX = 4096

export interface IssuedToken {
  /** What a client sends as its password: no colon, no white space. */
  readonly password: string
  readonly expiresAt: Date
}

/** Whom a token speaks for, and the registry it was issued in. */
export interface TokenBearer {
  readonly principal: Principal
  readonly registry: Registry
}

const ANONYMOUS_BEARER: TokenBearer = { principal: ANONYMOUS, registry: publicRegistry(ANONYMOUS.accountId) }

interface Remembered {
  readonly bearer: TokenBearer
  readonly expiresAtMs: number
  /** The key was issued here, so the token dies with it. */
  readonly isKeyOurs: boolean
}

/**
 * The login tokens of `docker login`: signed with a secret of the installation, valid for 12 hours, bound to the
 * access key behind them. The library that signs is loaded with the first of them, not with the process.
 */
export class Tokens {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #remembered = new Map<string, Remembered>()
  readonly #key: Once<Uint8Array>

  constructor(metadata: MetadataStore, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#clock = clock
    this.#ids = ids
    this.#key = new Once(() => secretOf(metadata, 'token-signing-key', ids))
  }

  async issue(principal: Principal, region: Region): Promise<IssuedToken> {
    const now = this.#clock.now().getTime()
    const expiresAt = new Date(Math.floor((now + TOKEN_LIFETIME_MS) / 1000) * 1000)
    const isKeyOurs = (await this.#metadata.view.credentials.findAccessKey(principal.accessKeyId)) !== undefined
    const { SignJWT } = await import('jose')
    const password = await new SignJWT({
      acct: principal.accountId,
      reg: region,
      arn: principal.arn,
      uid: principal.userId,
      key: principal.accessKeyId,
      own: isKeyOurs,
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT' })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
      .setJti(this.#ids.uuid())
      .sign(await this.#key.get())
    return { password, expiresAt }
  }

  /** Throws `token-invalid`, `token-expired`. */
  async verify(password: string): Promise<TokenBearer> {
    const remembered = this.#remembered.get(password) ?? (await this.#check(password))
    if (remembered.expiresAtMs <= this.#clock.now().getTime()) {
      this.#remembered.delete(password)
      throw tokenExpired()
    }
    if (remembered.isKeyOurs) await this.#checkKey(remembered.bearer.principal.accessKeyId)
    return remembered.bearer
  }

  async #check(password: string): Promise<Remembered> {
    const remembered = await this.#read(password)
    if (this.#remembered.size >= REMEMBERED_MAX) {
      const oldest = this.#remembered.keys().next()
      if (!oldest.done) this.#remembered.delete(oldest.value)
    }
    this.#remembered.set(password, remembered)
    return remembered
  }

  async #read(password: string): Promise<Remembered> {
    const key = await this.#key.get()
    const { jwtVerify } = await import('jose')
    try {
      const { payload } = await jwtVerify(password, key, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate: this.#clock.now(),
      })
      const { acct, reg, arn, uid, key: accessKeyId, own, exp } = payload
      if (typeof acct !== 'string' || typeof reg !== 'string') throw tokenInvalid()
      const region = reg === PUBLIC_REGION ? PUBLIC_REGION : isRegion(reg) ? reg : undefined
      const expiresAtMs = (exp ?? 0) * 1000
      if (region === PUBLIC_REGION && acct === ANONYMOUS.accountId)
        return { bearer: ANONYMOUS_BEARER, expiresAtMs, isKeyOurs: false }
      if (!isRegistryId(acct) || region === undefined) throw tokenInvalid()
      if (typeof arn !== 'string' || typeof uid !== 'string' || typeof accessKeyId !== 'string') throw tokenInvalid()
      const principal = arn.endsWith(':root')
        ? rootPrincipal(acct, arn, accessKeyId)
        : userPrincipal(acct, arn, uid, accessKeyId)
      const bearer = { principal, registry: { registryId: acct, region } }
      return { bearer, expiresAtMs, isKeyOurs: own === true }
    } catch (thrown) {
      if (isRegistryError(thrown)) throw thrown
      throw thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_JWT_EXPIRED'
        ? tokenExpired()
        : tokenInvalid()
    }
  }

  async #checkKey(accessKeyId: string): Promise<void> {
    if ((await this.#metadata.view.credentials.findAccessKey(accessKeyId)) === undefined) throw tokenInvalid()
  }
}

/** The installation's secret of that name, made (32 random bytes) when it is first asked for. */
export async function secretOf(metadata: MetadataStore, name: string, ids: Ids): Promise<Uint8Array> {
  const known = await metadata.view.credentials.findSecret(name)
  return known ?? metadata.transact((tx) => tx.credentials.keepSecret(name, ids.secret(32)))
}
