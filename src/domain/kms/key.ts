import { partitionOf } from '../arn.ts'
import type { Registry } from '../names.ts'

export type KeyState = 'Enabled' | 'Disabled' | 'PendingDeletion'

/** A symmetric key of an account in a region, as it is kept; its material is kept apart. */
export interface KmsKey {
  /** The store's own key; never shown. */
  readonly id: number
  /** A UUID. */
  readonly keyId: string
  readonly home: Registry
  /** `AWS`: made by the registry for itself, and nobody's to change. */
  readonly manager: 'AWS' | 'CUSTOMER'
  readonly state: KeyState
  readonly description: string
  /** The text of its policy. */
  readonly policy: string
  readonly createdAt: Date
  /** While it is pending. */
  readonly deletion?: { readonly at: Date; readonly windowDays: number } | undefined
  /** While it is on. */
  readonly rotation?: { readonly periodDays: number; readonly nextAt: Date } | undefined
}

/** A key before the store has given it its own key. */
export type NewKmsKey = Omit<KmsKey, 'id'>

/** Bytes that a key encrypts with. A key has several once it was rotated: the last one encrypts, each decrypts what it encrypted. */
export interface KeyMaterial {
  /** 64 hexadecimal digits. */
  readonly materialId: string
  readonly bytes: Uint8Array
}

export interface KeyAlias {
  readonly home: Registry
  /** With `alias/` before it. */
  readonly name: string
  readonly keyId: string
  readonly createdAt: Date
  readonly updatedAt: Date
}

/** Names that begin so are AWS's own. */
export const RESERVED_ALIAS_PREFIX = 'alias/aws/'

/** The alias of the key that ECR uses where none is named. */
export const ECR_ALIAS = 'alias/aws/ecr'

export const DAY_MS = 86_400_000

export const DEFAULT_ROTATION_DAYS = 365

export function keyArn({ home, keyId }: Pick<KmsKey, 'home' | 'keyId'>): string {
  return `${homeArn(home)}:key/${keyId}`
}

export function aliasArn({ home, name }: Pick<KeyAlias, 'home' | 'name'>): string {
  return `${homeArn(home)}:${name}`
}

function homeArn({ registryId, region }: Registry): string {
  return `arn:${partitionOf(region)}:kms:${region}:${registryId}`
}

/** When a key that is rotated every so often is rotated next. */
export function rotationOf(periodDays: number, since: Date): NonNullable<KmsKey['rotation']> {
  return { periodDays, nextAt: new Date(since.getTime() + periodDays * DAY_MS) }
}
