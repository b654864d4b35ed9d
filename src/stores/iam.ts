import type {
  Entity,
  EntityKind,
  Group,
  InlinePolicy,
  NewEntity,
  PolicyVersion,
  User,
} from '../domain/iam-entities/entity.ts'
import type { RegistryId } from '../domain/names.ts'
import type { ResourceTag } from '../domain/repository.ts'

/** In ascending order of name, capitals aside; `after` is a name and need not exist. */
export interface EntityPage {
  readonly pathPrefix?: string | undefined
  readonly after?: string | undefined
  readonly limit: number
}

/** How often a managed policy is used in an account. */
export interface PolicyUse {
  readonly attachmentCount: number
  readonly boundaryCount: number
}

/** What an identity may do, as the texts that say so. */
export interface StoredIdentity {
  readonly entity: Entity<'user' | 'role'>
  /** Its own inline policies, then those of a user's groups. */
  readonly inline: readonly InlinePolicy[]
  /** The ARNs of the managed policies that are attached to it or to a user's groups, each once. */
  readonly attachedArns: readonly string[]
}

/** Users, groups, roles, managed policies and OpenID Connect providers of accounts, and what ties them together. */
export interface IamReader {
  find<Kind extends EntityKind>(kind: Kind, accountId: RegistryId, name: string): Promise<Entity<Kind> | undefined>
  findByUniqueId(uniqueId: string): Promise<Entity | undefined>
  list<Kind extends EntityKind>(kind: Kind, accountId: RegistryId, page: EntityPage): Promise<readonly Entity<Kind>[]>
  /** How many of each kind an account has. */
  counts(accountId: RegistryId): Promise<ReadonlyMap<EntityKind, number>>
  /** The identity of this unique id with all that its policies hang on; `undefined` when it is gone or no identity. */
  findIdentity(uniqueId: string): Promise<StoredIdentity | undefined>

  findInline(entityId: number, name: string): Promise<InlinePolicy | undefined>
  /** In ascending order of name. */
  listInline(entityId: number): Promise<readonly InlinePolicy[]>
  /** The ARNs of the managed policies attached to an entity, ascending. */
  listAttached(entityId: number): Promise<readonly string[]>
  /** The entities of an account to which a managed policy is attached. */
  listAttachedTo(accountId: RegistryId, policyArn: string): Promise<readonly Entity[]>
  /** The entities of an account whose permissions a managed policy bounds. */
  listBoundedBy(accountId: RegistryId, policyArn: string): Promise<readonly Entity[]>
  /** By ARN, the managed policies that an account uses. */
  policyUses(accountId: RegistryId): Promise<ReadonlyMap<string, PolicyUse>>
  /** How often one managed policy is used in an account. */
  policyUse(accountId: RegistryId, policyArn: string): Promise<PolicyUse>
  /** Newest first. */
  listVersions(policyId: number): Promise<readonly PolicyVersion[]>
  findVersion(policyId: number, number: number): Promise<PolicyVersion | undefined>
  /** In ascending order of name. */
  listMembers(groupId: number): Promise<readonly User[]>
  /** In ascending order of name. */
  listGroupsOf(userId: number): Promise<readonly Group[]>
}

/** Every change counts up `MetadataStore.policyRevision` when it is committed. */
export interface IamWriter extends IamReader {
  /** `undefined` when the name is taken. */
  insert<Kind extends EntityKind>(entity: NewEntity<Kind>): Promise<Entity<Kind> | undefined>
  /** Records name, path, boundary and attributes. The caller has checked in this transaction that a new name is free. */
  update<Kind extends EntityKind>(entity: Entity<Kind>): Promise<void>
  setTags(entityId: number, tags: readonly ResourceTag[]): Promise<void>
  /** Removes the entity and all that hangs on it, its access keys included. */
  delete(entityId: number): Promise<void>
  /** Remembers when a role was used; changes nobody's permissions, and so not the revision. */
  noteUse(uniqueId: string, at: Date, region: string): Promise<void>

  /** Replaces a policy of the same name. */
  putInline(entityId: number, policy: InlinePolicy): Promise<void>
  /** False when it was not there. */
  deleteInline(entityId: number, name: string): Promise<boolean>
  /** Attached already is fine. */
  attach(entity: Pick<Entity, 'id' | 'accountId'>, policyArn: string): Promise<void>
  /** False when it was not attached. */
  detach(entityId: number, policyArn: string): Promise<boolean>
  insertVersion(policyId: number, version: PolicyVersion): Promise<void>
  deleteVersion(policyId: number, number: number): Promise<void>
  /** A member already is fine. */
  addMember(groupId: number, userId: number): Promise<void>
  /** False when the user was no member. */
  removeMember(groupId: number, userId: number): Promise<boolean>
}
