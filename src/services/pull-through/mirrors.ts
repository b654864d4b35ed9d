import { partitionOf } from '../../domain/arn.ts'
import { repositoryNotFound } from '../../domain/errors.ts'
import { iamArn } from '../../domain/iam-entities/iam-arn.ts'
import { DOCKER_HUB, isLocalName, mirroredName, originalOf } from '../../domain/mirrors.ts'
import { parseRepositoryName, type Registry, type RepositoryName } from '../../domain/names.ts'
import { userPrincipal } from '../../domain/principal.ts'
import { ecrPlaceOf } from '../../domain/pull-through.ts'
import { robotPolicy } from '../../domain/robot-scope.ts'
import type { Clock } from '../../lib/clock.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { TokenBearer } from '../credentials/tokens.ts'
import type { PullThroughRules } from './pull-through-rules.ts'

export interface MirrorSettings {
  /** Hosts by which this registry is asked as a mirror of Docker Hub by clients that do not say so. */
  readonly hubHosts: ReadonlySet<string>
  /** The user in whose name those may pull from mirrors who bring no credentials; absent: nobody may. */
  readonly userName: string | undefined
  readonly defaultRegistry: Registry
  /** Whether a host is a name of this registry itself. */
  isOwnHost(host: string): boolean
}

/**
 * What clients ask of this registry in place of another one, under the names that images have there: containerd says which
 * one it means (`?ns=`), Docker asks a host that is for Docker Hub alone.
 */
export class Mirrors {
  readonly #metadata: MetadataStore
  readonly #rules: PullThroughRules
  readonly #clock: Clock
  readonly #settings: MirrorSettings

  constructor(metadata: MetadataStore, rules: PullThroughRules, clock: Clock, settings: MirrorSettings) {
    this.#metadata = metadata
    this.#rules = rules
    this.#clock = clock
    this.#settings = settings
  }

  /**
   * The registry that a request is meant for, by the host it came to and what it says of it; `undefined`: this one. A public
   * name is never taken for this one's, so that nobody gets an image of ours for one of theirs.
   */
  originalOf(host: string, said: string | undefined): string | undefined {
    if (said === undefined || said === '')
      return this.#settings.hubHosts.has(host.toLowerCase()) ? DOCKER_HUB : undefined
    if (said.toLowerCase() === host.toLowerCase() || this.#settings.isOwnHost(said)) return undefined
    return originalOf(said)
  }

  /**
   * Under which name a repository of another registry is cached here. What nobody caches is this registry's own, where the
   * other is called as only a local one can be, or as ECR would call this one. Throws `repository-not-found`.
   */
  async nameOf(registry: Registry, original: string, name: string): Promise<RepositoryName> {
    const cached = mirroredName(await this.#rules.all(registry), original, name)
    if (cached !== undefined) return cached
    const own = parseRepositoryName(name)
    const place = ecrPlaceOf(original)
    const isNamed = place?.accountId === registry.registryId && place.region === registry.region
    if (isNamed || isLocalName(original)) return own
    throw repositoryNotFound({ registry, name: own })
  }

  /** For whom those speak who bring no credentials: the user that was named for it, for pulls alone. */
  async anonymous(): Promise<TokenBearer | undefined> {
    const { userName, defaultRegistry } = this.#settings
    if (userName === undefined) return undefined
    const { registryId: accountId, region } = defaultRegistry
    const user = await this.#metadata.view.iam.find('user', accountId, userName)
    if (user === undefined) return undefined
    const now = this.#clock.now()
    const principal = {
      ...userPrincipal(accountId, iamArn(partitionOf(region), user), user.uniqueId, 'mirror'),
      tags: user.tags,
      session: {
        name: 'mirror',
        issuedAt: now,
        expiresAt: new Date(now.getTime() + SESSION_MS),
        policies: [robotPolicy({ accountId, region, repositories: ['*'], actions: ['pull', 'cache'] })],
        facts: {},
      },
    }
    return { principal, registry: defaultRegistry }
  }
}

/** One request is all that it is for. */
const SESSION_MS = 60_000
