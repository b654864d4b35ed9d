import type { ResourceTag } from '../domain/repository.ts'
import type { Page } from './page.ts'

export type AccessKeyStatus = 'Active' | 'Inactive'

/** The user behind an access key. */
export interface KeyUser {
  /** The store's own key. */
  readonly id: number
  readonly uniqueId: string
  readonly tags: readonly ResourceTag[]
}

/** An access key without its secret. */
export interface AccessKeyFacts {
  readonly accessKeyId: string
  readonly accountId: string
  readonly principalArn: string
  readonly createdAt: Date
  /** An inactive key lets nobody in. */
  readonly status: AccessKeyStatus
  /** Absent for a root key. */
  readonly user?: KeyUser | undefined
  readonly lastUsed?: KeyUse | undefined
}

/** An access key that Ecru itself issued and therefore verifies. */
export interface AccessKey extends AccessKeyFacts {
  readonly secretAccessKey: string
}

export interface KeyUse {
  readonly at: Date
  readonly region: string
  /** As a signature's scope names it, such as `ecr`. */
  readonly service: string
}

export interface CredentialReader {
  findAccessKey(accessKeyId: string): Promise<AccessKey | undefined>
  /** The keys of a user or a root, in ascending order of id. */
  listAccessKeys(principalArn: string, page: Page<string>): Promise<readonly AccessKeyFacts[]>
  countAccessKeys(): Promise<number>
  /** The keys of the accounts' roots, in ascending order of account and id. */
  listRootKeys(): Promise<readonly AccessKeyFacts[]>
  /** A secret of the installation, such as the key that signs tokens. */
  findSecret(name: string): Promise<Uint8Array | undefined>
}

/** Every change of a user's keys counts up `MetadataStore.policyRevision` when it is committed. */
export interface CredentialWriter extends CredentialReader {
  /** Replaces a key of the same id. */
  putAccessKey(key: Omit<AccessKey, 'lastUsed'>): Promise<void>
  setAccessKeyStatus(accessKeyId: string, status: AccessKeyStatus): Promise<void>
  deleteAccessKey(accessKeyId: string): Promise<void>
  /** A user has another name or path: its keys follow. */
  renamePrincipal(userId: number, principalArn: string): Promise<void>
  /** Remembers when keys were last used, by their ids; unknown ones are fine. */
  recordKeyUses(uses: ReadonlyMap<string, KeyUse>): Promise<void>
  /** Removes the keys of a principal but the one to be kept. */
  deleteOtherAccessKeys(principalArn: string, keptAccessKeyId: string): Promise<void>
  /** Keeps the secret that is there and answers it; otherwise records this one. */
  keepSecret(name: string, secret: Uint8Array): Promise<Uint8Array>
}
