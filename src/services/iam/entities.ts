import type { MoreFacts } from '../../domain/iam/facts.ts'
import type { Entity, EntityKind, NewEntity } from '../../domain/iam-entities/entity.ts'
import { entityExists, entityNotFound, quotaExceeded, roleProtected } from '../../domain/iam-entities/errors.ts'
import { iamArn } from '../../domain/iam-entities/iam-arn.ts'
import { newUniqueId, UNIQUE_ID_BYTES } from '../../domain/iam-entities/unique-id.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { Access, OtherResource, RequestDetails } from '../access/access.ts'

export type IamAction = `iam:${string}`

/** The entities of accounts, looked up under authorisation: the way of every operation of IAM to what it is about. */
export class Entities {
  readonly metadata: MetadataStore
  readonly clock: Clock
  readonly ids: Ids
  readonly partition: string
  readonly #access: Access

  constructor(metadata: MetadataStore, access: Access, clock: Clock, ids: Ids, partition: string) {
    this.metadata = metadata
    this.#access = access
    this.clock = clock
    this.ids = ids
    this.partition = partition
  }

  arnOf(entity: Pick<Entity, 'accountId' | 'kind' | 'path' | 'name'>): string {
    return iamArn(this.partition, entity)
  }

  /** For actions that are about the account as a whole. */
  authorize(principal: Principal, action: IamAction): Promise<void> {
    return this.authorizeArn(principal, action, '*')
  }

  /** For actions about what has no record yet, or none of its own. */
  async authorizeArn(
    principal: Principal,
    action: IamAction,
    arn: string,
    details: RequestDetails = {},
    ownerAccountId: RegistryId = principal.accountId,
  ): Promise<void> {
    await this.#access.authorize(principal, action, { arn, ownerAccountId }, details)
  }

  /** For what is to be made: tags that it begins with take a permission of their own. */
  async authorizeNew(
    principal: Principal,
    noun: 'User' | 'Role' | 'Policy' | 'OpenIDConnectProvider',
    arn: string,
    tags: readonly ResourceTag[],
    facts: MoreFacts = {},
  ): Promise<void> {
    await this.authorizeArn(principal, `iam:Create${noun}`, arn, { requestTags: tags, facts })
    if (tags.length > 0) await this.authorizeArn(principal, `iam:Tag${noun}`, arn, { requestTags: tags })
  }

  /** The same for what has tags. */
  authorizeTagged(
    principal: Principal,
    action: IamAction,
    resource: OtherResource,
    details: RequestDetails,
  ): Promise<void> {
    return this.#access.authorize(principal, action, resource, details)
  }

  /**
   * The entity of that name in the caller's account. Whether it is there is said only to those who may do this to it.
   * Throws `access-denied`, `entity-not-found`.
   */
  async get<Kind extends EntityKind>(
    principal: Principal,
    action: IamAction,
    kind: Kind,
    name: string,
    details: RequestDetails = {},
  ): Promise<Entity<Kind>> {
    const { accountId } = principal
    const entity = await this.metadata.view.iam.find(kind, accountId, name)
    const arn = this.arnOf(entity ?? { accountId, kind, path: '/', name })
    const tags = async () => entity?.tags ?? []
    await this.#access.authorize(principal, action, { arn, ownerAccountId: accountId, tags }, details)
    if (entity === undefined) throw entityNotFound(kind, name)
    return entity
  }

  /**
   * The same, and then the work on it as it is inside the transaction. Roles that belong to a service are refused:
   * `entity-unmodifiable`, unless `reachesLinked`.
   */
  async change<Kind extends EntityKind, T>(
    principal: Principal,
    action: IamAction,
    kind: Kind,
    name: string,
    work: (entity: Entity<Kind>, tx: MetadataWriter) => Promise<T>,
    { reachesLinked = false, ...details }: RequestDetails & { readonly reachesLinked?: boolean } = {},
  ): Promise<T> {
    await this.get(principal, action, kind, name, details)
    return this.metadata.transact(async (tx) => {
      const entity = await tx.iam.find(kind, principal.accountId, name)
      if (entity === undefined) throw entityNotFound(kind, name)
      if (!reachesLinked && isLinked(entity)) throw roleProtected(entity.name)
      return work(entity, tx)
    })
  }

  /** Policies may ask which boundary bounds the entity whose permissions are to change. */
  async boundaryDetails({ accountId }: Principal, kind: EntityKind, name: string): Promise<RequestDetails> {
    const known = await this.metadata.view.iam.find(kind, accountId, name)
    return known?.boundaryArn === undefined ? {} : { facts: { 'iam:permissionsboundary': known.boundaryArn } }
  }

  /** A new entity of the caller's account, once authorised. Throws `entity-exists`, `quota-exceeded`. */
  async insert<Kind extends EntityKind>(
    tx: MetadataWriter,
    entity: NewEntity<Kind>,
    quota: { readonly things: string; readonly limit: number },
  ): Promise<Entity<Kind>> {
    const counts = await tx.iam.counts(entity.accountId)
    const inserted = await tx.iam.insert(entity)
    if (inserted === undefined) throw entityExists(entity.kind, entity.name)
    if ((counts.get(entity.kind) ?? 0) >= quota.limit) throw quotaExceeded(quota.things, quota.limit)
    return inserted
  }

  /** What a new entity has of itself. */
  birth(kind: Exclude<EntityKind, 'oidc-provider'>): { readonly uniqueId: string; readonly createdAt: Date } {
    return { uniqueId: newUniqueId(kind, this.ids.secret(UNIQUE_ID_BYTES)), createdAt: this.clock.now() }
  }
}

/** Whether a role belongs to a service of AWS. */
export function isLinked(entity: Entity): boolean {
  return 'linkedService' in entity.attributes && entity.attributes.linkedService !== undefined
}
