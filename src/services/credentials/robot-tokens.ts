import { createHash, timingSafeEqual } from 'node:crypto'
import { partitionOf } from '../../domain/arn.ts'
import { invalidParameters, tokenExpired, tokenInvalid } from '../../domain/errors.ts'
import type { Entity } from '../../domain/iam-entities/entity.ts'
import { iamArn } from '../../domain/iam-entities/iam-arn.ts'
import type { Region } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { userPrincipal } from '../../domain/principal.ts'
import { isRepositoryPattern, type RobotScope, robotPolicy } from '../../domain/robot-scope.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { RobotToken } from '../../stores/robot-tokens.ts'

const LIFETIME_MS_MIN = 60_000
const LIFETIME_MS_MAX = 3660 * 24 * 3600_000
const PATTERNS_MAX = 100
const FORM = /^ecru_([0-9a-z]{16})_([\w-]{43})$/

/** A token to be made. */
export interface NewRobotToken extends RobotScope {
  /** The user whose permissions it narrows. */
  readonly userName: string
  readonly lifetimeMs: number
}

/** What is shown of a token at any time. */
export type ShownRobotToken = Omit<RobotToken, 'secretHash'>

/** Whether a password has the form of a robot's token. */
export function isRobotToken(password: string): boolean {
  return FORM.test(password)
}

/**
 * Login tokens for machines that hold no key: of a user, with a scope and an end of their own. The token is answered once
 * and kept as the hash of its 256 random bits.
 */
export class RobotTokens {
  readonly #metadata: MetadataStore
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#clock = clock
    this.#ids = ids
  }

  /** Throws `invalid-parameter`, also when there is no such user. */
  async create(request: NewRobotToken): Promise<ShownRobotToken & { readonly token: string }> {
    const { accountId, region, userName, repositories, actions, lifetimeMs } = request
    checkScope(request)
    const user = await this.#metadata.view.iam.find('user', accountId, userName)
    if (user === undefined)
      throw invalidParameters(`There is no user '${userName.slice(0, 64)}' in account ${accountId}.`)
    const id = Buffer.from(this.#ids.secret(8)).toString('hex')
    const secret = Buffer.from(this.#ids.secret(32)).toString('base64url')
    const createdAt = this.#clock.now()
    const expiresAt = new Date(createdAt.getTime() + lifetimeMs)
    const shown = {
      id,
      accountId,
      region,
      userArn: arnOf(user, region),
      userId: user.uniqueId,
      repositories,
      actions,
      createdAt,
      expiresAt,
    }
    await this.#metadata.transact(async (tx) => {
      await tx.robotTokens.deleteEnded(createdAt)
      await tx.robotTokens.insert({ ...shown, secretHash: hashOf(secret) })
    })
    return { ...shown, token: `ecru_${id}_${secret}` }
  }

  async list(): Promise<readonly ShownRobotToken[]> {
    const tokens = await this.#metadata.view.robotTokens.list({ limit: 10_000 })
    return tokens.map(({ secretHash: _, ...shown }) => shown)
  }

  /** False: there is no such token. */
  async revoke(id: string): Promise<boolean> {
    return this.#metadata.transact((tx) => tx.robotTokens.delete(id))
  }

  /** The token that a password is. Throws `token-invalid`, `token-expired`. */
  async check(password: string): Promise<RobotToken> {
    const [, id = '', secret = ''] = FORM.exec(password) ?? []
    const token = await this.#metadata.view.robotTokens.find(id)
    const isRight = timingSafeEqual(Buffer.from(hashOf(secret)), Buffer.from(token?.secretHash ?? hashOf('')))
    if (token === undefined || !isRight) throw tokenInvalid()
    if (token.expiresAt <= this.#clock.now()) throw tokenExpired()
    return token
  }

  /** For whom a token speaks now; `undefined` when it was revoked or its user is gone. */
  async principalOf({ id }: RobotToken): Promise<Principal | undefined> {
    const token = await this.#metadata.view.robotTokens.find(id)
    if (token === undefined) return undefined
    const user = await this.#metadata.view.iam.findByUniqueId(token.userId)
    if (user === undefined) return undefined
    return {
      ...userPrincipal(user.accountId, arnOf(user, token.region), user.uniqueId, id),
      tags: user.tags,
      session: {
        name: `token-${id}`,
        issuedAt: token.createdAt,
        expiresAt: token.expiresAt,
        policies: [robotPolicy(token)],
        facts: {},
      },
    }
  }
}

function arnOf(user: Pick<Entity, 'accountId' | 'kind' | 'path' | 'name'>, region: Region): string {
  return iamArn(partitionOf(region), user)
}

function checkScope({ repositories, actions, lifetimeMs }: NewRobotToken): void {
  if (repositories.length === 0 || repositories.length > PATTERNS_MAX || !repositories.every(isRepositoryPattern))
    throw invalidParameters(
      `A token is for 1 to ${PATTERNS_MAX} repositories, by names in which * and ? are wildcards.`,
    )
  if (actions.length === 0) throw invalidParameters('A token is for pull, push, cache or several of them.')
  if (!(lifetimeMs >= LIFETIME_MS_MIN && lifetimeMs <= LIFETIME_MS_MAX))
    throw invalidParameters('A token lives from one minute to ten years.')
}

/** Enough for 256 random bits: there is nothing to guess. */
function hashOf(secret: string): string {
  return createHash('sha256').update(secret).digest('hex')
}
