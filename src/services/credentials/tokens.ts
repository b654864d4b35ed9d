import { isRegistryError, tokenExpired, tokenInvalid } from '../../domain/errors.ts'
import { isRegion, isRegistryId, type Region, type Registry } from '../../domain/names.ts'
import { ANONYMOUS, type Principal, rootPrincipal } from '../../domain/principal.ts'
import { PUBLIC_REGION, publicRegistry } from '../../domain/public-registry.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { Attempts, guesserOf } from './attempts.ts'
import type { Callers } from './callers.ts'
import { isRobotToken, type RobotTokens } from './robot-tokens.ts'
import type { TokenKeys } from './token-keys.ts'

/** How long a login token lives: 12 hours, as ECR's. */
export const TOKEN_LIFETIME_MS = 12 * 3600 * 1000

const ISSUER = 'ecru'
const AUDIENCE = 'registry-login'
/** Verified tokens kept, so that a client's many requests cost one verification. */
const REMEMBERED_MAX = 4096
/** Bad passwords of one address in a minute, before they are answered as too many. */
const BAD_PASSWORDS_MAX = 60
const PASSWORD_LENGTH_MAX = 8192

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

/** A token that was verified once: whom it speaks for is looked up again whenever anything about callers has changed. */
interface Remembered {
  readonly registry: Registry
  readonly expiresAtMs: number
  readonly find: () => Promise<Principal | undefined>
  bearer: TokenBearer | undefined
  revision: number
}

export interface TokenOptions {
  /** Whether tokens of access keys that nobody here knows are good: in the dev profile. */
  readonly acceptsUnknownKeys: boolean
}

/** What tokens are issued and verified by. */
export interface TokenParts {
  readonly metadata: MetadataStore
  readonly callers: Callers
  readonly robots: RobotTokens
  readonly keys: TokenKeys
  readonly clock: Clock
  readonly ids: Ids
}

/**
 * The login tokens of `docker login`: signed with a key of the installation, valid for 12 hours, bound to the access key
 * behind them, with which they die. The library that signs is loaded with the first of them, not with the process.
 */
export class Tokens {
  readonly #metadata: MetadataStore
  readonly #callers: Callers
  readonly #robots: RobotTokens
  readonly #keys: TokenKeys
  readonly #clock: Clock
  readonly #ids: Ids
  readonly #options: TokenOptions
  readonly #attempts: Attempts
  readonly #remembered = new Map<string, Remembered>()

  constructor(parts: TokenParts, options: TokenOptions) {
    const { metadata, callers, robots, keys, clock, ids } = parts
    this.#metadata = metadata
    this.#callers = callers
    this.#robots = robots
    this.#keys = keys
    this.#clock = clock
    this.#ids = ids
    this.#options = options
    this.#attempts = new Attempts(clock, BAD_PASSWORDS_MAX)
  }

  async issue(principal: Principal, region: Region): Promise<IssuedToken> {
    const now = this.#clock.now().getTime()
    const expiresAt = new Date(Math.floor((now + TOKEN_LIFETIME_MS) / 1000) * 1000)
    const key = await this.#keys.signing()
    const { SignJWT } = await import('jose')
    const password = await new SignJWT({
      acct: principal.accountId,
      reg: region,
      arn: principal.arn,
      key: principal.accessKeyId,
      own: await this.#callers.isOurs(principal.accessKeyId),
    })
      .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...(key.id === '' ? {} : { kid: key.id }) })
      .setIssuer(ISSUER)
      .setAudience(AUDIENCE)
      .setIssuedAt(Math.floor(now / 1000))
      .setExpirationTime(Math.floor(expiresAt.getTime() / 1000))
      .setJti(this.#ids.uuid())
      .sign(key.secret)
    return { password, expiresAt }
  }

  /**
   * A token that was verified before costs no look, as long as nothing about callers has changed. Throws `token-invalid`,
   * `token-expired`, and `throttled` instead of the former for an address (`from`) that guesses.
   */
  async verify(password: string, from = ''): Promise<TokenBearer> {
    try {
      return await this.#verify(password)
    } catch (thrown) {
      if (from !== '' && isRegistryError(thrown, 'token-invalid')) this.#attempts.failed(guesserOf(from))
      throw thrown
    }
  }

  async #verify(password: string): Promise<TokenBearer> {
    const remembered = this.#remembered.get(password) ?? (await this.#check(password))
    if (remembered.expiresAtMs <= this.#clock.now().getTime()) {
      this.#remembered.delete(password)
      throw tokenExpired()
    }
    if (remembered.bearer !== undefined && remembered.revision === this.#metadata.policyRevision)
      return remembered.bearer
    return this.#bearerOf(password, remembered)
  }

  /** Keys that sign are part of what changes: a token that was verified by one that is gone is verified anew. */
  async #bearerOf(password: string, remembered: Remembered): Promise<TokenBearer> {
    const revision = this.#metadata.policyRevision
    try {
      if (remembered.bearer !== undefined) await this.#read(password)
      const principal = await remembered.find()
      if (principal === undefined) throw tokenInvalid()
      const bearer = { principal, registry: remembered.registry }
      if (this.#metadata.policyRevision === revision) Object.assign(remembered, { bearer, revision })
      return bearer
    } catch (thrown) {
      this.#remembered.delete(password)
      throw thrown
    }
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
    if (password.length > PASSWORD_LENGTH_MAX) throw tokenInvalid()
    const unresolved = { bearer: undefined, revision: -1 }
    if (!isRobotToken(password)) return { ...unresolved, ...(await this.#readSigned(password)) }
    const token = await this.#robots.check(password)
    return {
      ...unresolved,
      registry: { registryId: token.accountId, region: token.region },
      expiresAtMs: token.expiresAt.getTime(),
      find: () => this.#robots.principalOf(token),
    }
  }

  async #readSigned(password: string): Promise<Pick<Remembered, 'registry' | 'expiresAtMs' | 'find'>> {
    const { acct, reg, arn, key: accessKeyId, own, exp } = await this.#verifySignature(password)
    if (typeof acct !== 'string' || typeof reg !== 'string' || typeof accessKeyId !== 'string') throw tokenInvalid()
    const region = reg === PUBLIC_REGION ? PUBLIC_REGION : isRegion(reg) ? reg : undefined
    const expiresAtMs = Number(exp) * 1000
    if (region === PUBLIC_REGION && acct === ANONYMOUS.accountId)
      return { registry: publicRegistry(ANONYMOUS.accountId), expiresAtMs, find: async () => ANONYMOUS }
    if (!isRegistryId(acct) || region === undefined || typeof arn !== 'string') throw tokenInvalid()
    const registry = { registryId: acct, region }
    if (own === true) return { registry, expiresAtMs, find: () => this.#callers.findBearer(accessKeyId) }
    if (!this.#options.acceptsUnknownKeys) throw tokenInvalid()
    const principal = rootPrincipal(acct, arn, accessKeyId)
    return { registry, expiresAtMs, find: async () => principal }
  }

  async #verifySignature(password: string): Promise<Readonly<Record<string, unknown>>> {
    const { jwtVerify } = await import('jose')
    // Looked for first: that the keys cannot be read is no fault of the token.
    const key = await this.#keys.verifying(await keyIdOf(password))
    if (key === undefined) throw tokenInvalid()
    try {
      const { payload } = await jwtVerify(password, key.secret, {
        algorithms: ['HS256'],
        issuer: ISSUER,
        audience: AUDIENCE,
        requiredClaims: ['exp'],
        currentDate: this.#clock.now(),
      })
      return payload
    } catch (thrown) {
      throw thrown instanceof Error && 'code' in thrown && thrown.code === 'ERR_JWT_EXPIRED'
        ? tokenExpired()
        : tokenInvalid()
    }
  }
}

/** The key that a token says it was signed with; the first one has no name. */
async function keyIdOf(password: string): Promise<string> {
  const { decodeProtectedHeader } = await import('jose')
  try {
    const { kid = '' } = decodeProtectedHeader(password)
    return kid
  } catch {
    throw tokenInvalid()
  }
}
