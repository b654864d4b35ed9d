import type { MutabilityMode, TagMutability } from './mutability.ts'
import type { Registry, RepositoryName } from './names.ts'

/** How a repository's content is encrypted: for good, from its creation on. `KMS_DSSE` encrypts twice. */
export type Encryption = { readonly type: 'AES256' } | { readonly type: 'KMS' | 'KMS_DSSE'; readonly kmsKeyArn: string }

/** How a repository is to be encrypted. A KMS type without a key means the one that ECR has in the account. */
export interface EncryptionWish {
  readonly type: Encryption['type']
  readonly kmsKey?: string | undefined
}

/** A repository as it is kept. */
export interface Repository {
  /** The store's own key; never shown. */
  readonly id: number
  readonly registry: Registry
  readonly name: RepositoryName
  readonly createdAt: Date
  readonly mutability: TagMutability
  readonly isScannedOnPush: boolean
  readonly encryption: Encryption
}

/** A repository before the store has given it a key. */
export type NewRepository = Omit<Repository, 'id'>

/** A resource tag (not an image's tag). */
export interface ResourceTag {
  readonly key: string
  readonly value: string
}

export type { MutabilityMode, TagMutability }
