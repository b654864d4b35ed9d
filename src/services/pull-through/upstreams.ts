import { accountRootArn } from '../../domain/arn.ts'
import type { Digest } from '../../domain/digest.ts'
import { isRegistryError } from '../../domain/errors.ts'
import { parseManifest } from '../../domain/manifest.ts'
import { rootPrincipal } from '../../domain/principal.ts'
import {
  ecrPlaceOf,
  type PullThroughRule,
  prefixKey,
  readUpstreamSecret,
  upstreamAddress,
} from '../../domain/pull-through.ts'
import {
  upstreamSecretInaccessible,
  upstreamSecretNotFound,
  upstreamSecretUnreadable,
} from '../../domain/pull-through-errors.ts'
import { upstreamDenied, upstreamRateLimited, upstreamWrong } from '../../domain/upstream-errors.ts'
import type { Clock } from '../../lib/clock.ts'
import type { SecretValues } from '../secrets/secret-values.ts'
import type { PullThroughCounts } from './pull-through-counts.ts'

export interface UpstreamLogin {
  readonly username: string
  readonly password: string
}

/** Who one is to an upstream; `isRefused`: the last answer was no good, and is not to be given again from memory. */
export type UpstreamLoginSource = (isRefused: boolean) => Promise<UpstreamLogin | undefined>

export interface UpstreamManifest {
  readonly bytes: Uint8Array
  readonly digest: Digest
  readonly mediaType: string | undefined
}

/** Another registry, as far as a cache asks it. Every method throws one of the codes `upstream-…`. */
export interface UpstreamRegistry {
  ping(): Promise<void>
  headManifest(repository: string, reference: string): Promise<{ readonly digest: Digest | undefined }>
  getManifest(repository: string, reference: string): Promise<UpstreamManifest>
  findBlob(repository: string, digest: Digest): Promise<{ readonly sizeBytes: number | undefined } | undefined>
  /** The last bytes come only when all are those of the digest. */
  openBlob(
    repository: string,
    digest: Digest,
    request: { readonly sizeBytes?: number | undefined; readonly signal?: AbortSignal | undefined },
  ): Promise<{
    readonly sizeBytes: number | undefined
    bytes(): AsyncGenerator<Uint8Array, void, void>
    discard(): void
  }>
  listReferrers(repository: string, digest: Digest): Promise<readonly Readonly<Record<string, unknown>>[]>
}

/** How upstreams are reached; what is behind it is not a service's business. */
export interface UpstreamConnections {
  connect(address: URL, login: UpstreamLoginSource): Promise<UpstreamRegistry>
  /** A password for a private ECR, as a role where one is named. Throws `upstream-denied`, `upstream-unavailable`. */
  ecrLogin(
    place: { readonly accountId: string; readonly region: string },
    roleArn: string | undefined,
  ): Promise<UpstreamLogin>
}

interface Upstream {
  readonly rule: PullThroughRule
  readonly registry: Promise<UpstreamRegistry>
  restUntilMs: number
}

const UPSTREAMS_MAX = 1000
const LOGIN_MS = 5 * 60_000
/** ECR's passwords live for twelve hours. */
const ECR_LOGIN_MS = 6 * 60 * 60_000
const REST_MS_DEFAULT = 60_000
const REST_MS_MAX = 6 * 60 * 60_000

/** The registries behind pull-through cache rules, each with its credentials, and left alone for as long as it asks to be. */
export class Upstreams {
  readonly #secretValues: SecretValues
  readonly #connections: UpstreamConnections
  readonly #clock: Clock
  readonly #counts: PullThroughCounts
  readonly #upstreams = new Map<string, Upstream>()

  constructor(secretValues: SecretValues, connections: UpstreamConnections, clock: Clock, counts: PullThroughCounts) {
    this.#secretValues = secretValues
    this.#connections = connections
    this.#clock = clock
    this.#counts = counts
  }

  /** Asks the upstream of a rule. Throws the codes `upstream-…`; `upstream-rate-limited` unasked, while it wants its rest. */
  async ask<T>(rule: PullThroughRule, work: (registry: UpstreamRegistry) => Promise<T>): Promise<T> {
    const upstream = this.#of(rule)
    const leftMs = upstream.restUntilMs - this.#clock.now().getTime()
    if (leftMs > 0) throw upstreamRateLimited(`${rule.upstreamUrl} wants to be left alone for a while`, leftMs)
    try {
      return await work(await upstream.registry)
    } catch (thrown) {
      this.#counts.failed(rule, thrown)
      if (isRegistryError(thrown, 'upstream-rate-limited')) {
        const restMs = Math.min(Number(thrown.details.retryAfterMs ?? REST_MS_DEFAULT), REST_MS_MAX)
        upstream.restUntilMs = this.#clock.now().getTime() + restMs
      }
      throw thrown
    }
  }

  /** A manifest with the media type that it has. Throws the codes `upstream-…`, `upstream-wrong` for one that cannot be kept here. */
  async getManifest(rule: PullThroughRule, name: string, reference: string): Promise<UpstreamManifest> {
    const manifest = await this.ask(rule, (registry) => registry.getManifest(name, reference))
    try {
      return { ...manifest, mediaType: parseManifest(manifest.bytes, knownType(manifest.mediaType)).mediaType }
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : ''
      throw upstreamWrong(`${rule.upstreamUrl} answers a manifest that cannot be kept here: ${reason}`, { cause })
    }
  }

  /** Whether a rule's credentials work; `undefined`, or why they do not. */
  async tryOut(rule: PullThroughRule): Promise<string | undefined> {
    try {
      if (
        rule.credentialArn !== undefined &&
        readUpstreamSecret(await this.readSecret(rule, rule.credentialArn)) === undefined
      )
        return SECRET_FORM
      // Not by what is remembered: somebody wants to know what holds now.
      await (await this.#connect(rule)).ping()
      return undefined
    } catch (thrown) {
      if (!isRegistryError(thrown)) throw thrown
      return thrown.message
    }
  }

  /** The text of a secret, read for the account. Throws `upstream-secret-not-found`, `upstream-secret-inaccessible`, `upstream-secret-unreadable`. */
  async readSecret({ registry }: Pick<PullThroughRule, 'registry'>, secretArn: string): Promise<string> {
    const principal = rootPrincipal(registry.registryId, accountRootArn(registry), '')
    try {
      const { value } = await this.#secretValues.get({ principal, region: registry.region }, secretArn)
      if (value.kind !== 'text') throw upstreamSecretUnreadable()
      return value.text
    } catch (thrown) {
      if (isRegistryError(thrown, 'secret-not-found', 'secret-request-invalid')) throw upstreamSecretNotFound()
      if (isRegistryError(thrown, 'access-denied')) throw upstreamSecretInaccessible()
      if (isRegistryError(thrown, 'secret-decryption-failed')) throw upstreamSecretUnreadable()
      throw thrown
    }
  }

  #of(rule: PullThroughRule): Upstream {
    const { registry, prefix, updatedAt } = rule
    const key = `${registry.registryId}/${registry.region}/${prefixKey(prefix)}`
    const known = this.#upstreams.get(key)
    if (known?.rule.updatedAt.getTime() === updatedAt.getTime() && known.rule.upstreamUrl === rule.upstreamUrl)
      return known
    if (this.#upstreams.size >= UPSTREAMS_MAX) this.#upstreams.clear()
    const made = { rule, registry: this.#connect(rule), restUntilMs: 0 }
    this.#upstreams.set(key, made)
    return made
  }

  async #connect(rule: PullThroughRule): Promise<UpstreamRegistry> {
    const address = upstreamAddress(rule.upstreamUrl)
    if (address === undefined) throw upstreamDenied(`${rule.upstreamUrl} is no address of a registry`)
    let known: { readonly login: UpstreamLogin | undefined; readonly untilMs: number } | undefined
    return this.#connections.connect(address, async (isRefused) => {
      const nowMs = this.#clock.now().getTime()
      if (known === undefined || isRefused || nowMs >= known.untilMs) {
        const lifetimeMs = rule.upstreamKind === 'ecr' ? ECR_LOGIN_MS : LOGIN_MS
        known = { login: await this.#login(rule), untilMs: nowMs + lifetimeMs }
      }
      return known.login
    })
  }

  async #login(rule: PullThroughRule): Promise<UpstreamLogin | undefined> {
    const place = ecrPlaceOf(rule.upstreamUrl)
    if (place !== undefined) return this.#connections.ecrLogin(place, rule.customRoleArn)
    if (rule.credentialArn === undefined) return undefined
    const text = await this.readSecret(rule, rule.credentialArn).catch((thrown: unknown) => {
      throw isRegistryError(thrown) ? upstreamDenied(thrown.message) : thrown
    })
    const login = readUpstreamSecret(text)
    if (login === undefined) throw upstreamDenied(SECRET_FORM)
    return login
  }
}

/** What an upstream calls a manifest, unless that is nothing that one can be; it says itself what it is then. */
function knownType(mediaType: string | undefined): string | undefined {
  return mediaType !== undefined && /^application\/vnd\.(oci|docker)\./.test(mediaType) ? mediaType : undefined
}

const SECRET_FORM = 'The value of the secret must be a JSON object with the texts username and accessToken'
