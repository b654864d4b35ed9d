import type { Registry } from '../domain/names.ts'
import type { ResourceTag } from '../domain/repository.ts'
import type { ListedSecret, ManagedSecret, NewManagedSecret, SecretVersion } from '../domain/secrets/secret.ts'

export interface ManagedSecretReader {
  find(home: Registry, name: string): Promise<ManagedSecret | undefined>
  /** All of an account and region, in ascending order of name. */
  list(home: Registry): Promise<readonly ListedSecret[]>
  /** In ascending order of tag key. */
  listTags(id: number): Promise<readonly ResourceTag[]>
  /** All versions with their values, the oldest first. Values are opened: keep them no longer than needed. */
  listVersions(id: number): Promise<readonly SecretVersion[]>
  /** Those whose deletion has become due. */
  listDue(now: Date, limit: number): Promise<readonly ManagedSecret[]>
}

export interface ManagedSecretWriter extends ManagedSecretReader {
  /** Throws `secret-exists`. */
  insert(secret: NewManagedSecret): Promise<ManagedSecret>
  /** Everything but its id, home, name and suffix. */
  update(secret: ManagedSecret): Promise<void>
  /** With all that belongs to it. */
  delete(id: number): Promise<void>
  /** Adds a version, or replaces the one of that id. */
  putVersion(id: number, version: SecretVersion): Promise<void>
  setStages(id: number, versionId: string, stages: readonly string[]): Promise<void>
  deleteVersion(id: number, versionId: string): Promise<void>
  /** Adds and overwrites. */
  putTags(id: number, tags: readonly ResourceTag[]): Promise<void>
  /** Unknown keys are fine. */
  deleteTags(id: number, tagKeys: readonly string[]): Promise<void>
}
