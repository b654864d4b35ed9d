import type { RegistryId } from '../names.ts'
import type { ResourceTag } from '../repository.ts'

/** What each kind of entity keeps beside what all of them have. */
export interface EntityAttributes {
  user: Record<never, never>
  group: Record<never, never>
  role: RoleAttributes
  policy: PolicyAttributes
  'oidc-provider': OidcProviderAttributes
}

export interface RoleAttributes {
  /** The trust policy: who may assume the role. */
  readonly trustPolicy: string
  readonly description?: string | undefined
  readonly maxSessionSeconds: number
  /** The service that a service-linked role belongs to, such as `replication.ecr.amazonaws.com`. */
  readonly linkedService?: string | undefined
}

/** A managed policy; its texts are in its versions. */
export interface PolicyAttributes {
  readonly description?: string | undefined
  readonly defaultVersion: number
  /** The number of the version that was made last, whether it is still there or not. */
  readonly lastVersion: number
  /** Milliseconds since 1970. */
  readonly updatedAt: number
}

export interface OidcProviderAttributes {
  /** As it was given. */
  readonly url: string
  readonly clientIds: readonly string[]
  readonly thumbprints: readonly string[]
}

export type EntityKind = keyof EntityAttributes

/** What an account's IAM holds: a user, a group, a role, a managed policy or an OpenID Connect provider. */
export interface Entity<Kind extends EntityKind = EntityKind> {
  /** The store's own key. */
  readonly id: number
  readonly accountId: RegistryId
  readonly kind: Kind
  /** Unique in its account among its kind, however it is capitalised. A provider's is its URL without the scheme. */
  readonly name: string
  /** `/`, or `/a/b/`. */
  readonly path: string
  /** `AIDA…`, `AROA…`, …: never used twice. For a provider, its ARN. */
  readonly uniqueId: string
  readonly createdAt: Date
  readonly tags: readonly ResourceTag[]
  /** The managed policy that bounds the permissions of a user or a role. */
  readonly boundaryArn?: string | undefined
  readonly attributes: EntityAttributes[Kind]
  /** When and where a role was last used. */
  readonly lastUsed?: { readonly at: Date; readonly region: string } | undefined
}

export type User = Entity<'user'>
export type Group = Entity<'group'>
export type Role = Entity<'role'>
export type ManagedPolicy = Entity<'policy'>
export type OidcProvider = Entity<'oidc-provider'>

/** An entity that nobody has recorded yet. */
export type NewEntity<Kind extends EntityKind> = Omit<Entity<Kind>, 'id' | 'lastUsed'>

export interface PolicyVersion {
  /** Printed as `v1`, `v2`, … */
  readonly number: number
  readonly text: string
  readonly createdAt: Date
}

export interface InlinePolicy {
  readonly name: string
  readonly text: string
}

/** Names are compared without regard to case. */
export function nameKey(name: string): string {
  return name.toLowerCase()
}
