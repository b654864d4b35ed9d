import { partitionOf } from '../arn.ts'
import type { Registry } from '../names.ts'
import type { ResourceTag } from '../repository.ts'

/** A secret that an account keeps in a region, without its values. */
export interface ManagedSecret {
  /** The store's own key; never shown. */
  readonly id: number
  readonly home: Registry
  readonly name: string
  /** Six letters at the end of its ARN, so that a later secret of that name has another one. */
  readonly suffix: string
  readonly description?: string | undefined
  readonly type?: string | undefined
  /** The key of KMS that its values are encrypted by; absent: the installation's alone. */
  readonly kmsKeyArn?: string | undefined
  readonly createdAt: Date
  readonly changedAt: Date
  readonly accessedAt?: Date | undefined
  /** When it goes; until then it can only be looked at. */
  readonly deletionAt?: Date | undefined
}

export type NewManagedSecret = Omit<ManagedSecret, 'id'>

/** One value that a secret had, or has. */
export interface SecretVersion {
  readonly versionId: string
  /** Labels such as AWSCURRENT; each is on one version at a time. */
  readonly stages: readonly string[]
  readonly createdAt: Date
  /** By which key of KMS the value is encrypted. */
  readonly kmsKeyArn?: string | undefined
  /** The data key of the value, as that key wrapped it. */
  readonly wrappedKey?: Uint8Array | undefined
  /** The value: in clear, or encrypted by the data key. */
  readonly body: Uint8Array
}

export const CURRENT = 'AWSCURRENT'
export const PREVIOUS = 'AWSPREVIOUS'

/** A secret with what listings show of it. */
export interface ListedSecret {
  readonly secret: ManagedSecret
  readonly tags: readonly ResourceTag[]
  readonly versions: readonly Pick<SecretVersion, 'versionId' | 'stages'>[]
}

export function secretArn({ home, name, suffix }: Pick<ManagedSecret, 'home' | 'name' | 'suffix'>): string {
  return `${namedArn(home, name)}-${suffix}`
}

/** The ARN as far as it is known before there is a secret. */
export function namedArn({ registryId, region }: Registry, name: string): string {
  return `arn:${partitionOf(region)}:secretsmanager:${region}:${registryId}:secret:${name}`
}
