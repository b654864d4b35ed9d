import type { Grant } from '../domain/kms/grant.ts'
import type { KeyAlias, KeyMaterial, KmsKey, NewKmsKey } from '../domain/kms/key.ts'
import type { Registry } from '../domain/names.ts'
import type { ResourceTag } from '../domain/repository.ts'
import type { Page } from './page.ts'

/** Which grants of a key are meant; all of them without a filter. */
export interface GrantFilter {
  readonly grantId?: string | undefined
  readonly grantee?: string | undefined
}

/** A key with the material that it encrypts with. */
export interface UsableKey {
  readonly key: KmsKey
  readonly material: KeyMaterial
}

export interface KeyReader {
  /** A key by its id, wherever it is at home. */
  find(keyId: string): Promise<KmsKey | undefined>
  /** A key and the material of that id, or the one that encrypts now. Material is opened: keep it no longer than needed. */
  findMaterial(keyId: string, materialId?: string): Promise<UsableKey | undefined>
  /** The id alone of the material that encrypts now. */
  currentMaterialId(id: number): Promise<string | undefined>
  findAlias(home: Registry, name: string): Promise<KeyAlias | undefined>
  /** In ascending order of key id. */
  list(home: Registry, page: Page<string>): Promise<readonly KmsKey[]>
  count(home: Registry): Promise<number>
  /** In ascending order of name; of one key, when its id is given. */
  listAliases(home: Registry, page: Page<string>, keyId?: string): Promise<readonly KeyAlias[]>
  /** In ascending order of tag key. */
  listTags(id: number): Promise<readonly ResourceTag[]>
  /** In ascending order of grant id. */
  listGrants(id: number, filter: GrantFilter, page: Page<string>): Promise<readonly Grant[]>
  countGrants(id: number): Promise<number>
  /** Those of a key that any of these names was given. */
  grantsFor(id: number, grantees: readonly string[]): Promise<readonly Grant[]>
  findGrantByToken(token: string): Promise<{ readonly keyId: string; readonly grant: Grant } | undefined>
  /** Keys whose deletion has become due, and enabled ones whose rotation has. */
  listDue(now: Date, limit: number): Promise<readonly KmsKey[]>
}

export interface KeyWriter extends KeyReader {
  insert(key: NewKmsKey, material: KeyMaterial): Promise<KmsKey>
  /** Everything but its id and home. */
  update(key: KmsKey): Promise<void>
  /** From now on the key encrypts with it. */
  addMaterial(id: number, material: KeyMaterial, createdAt: Date): Promise<void>
  /** Deletes the key with its material and all that belongs to it. What it encrypted can never be read again. */
  destroy(id: number): Promise<void>
  /** Throws `key-alias-exists`. */
  insertAlias(alias: KeyAlias): Promise<void>
  updateAlias(alias: KeyAlias): Promise<void>
  deleteAlias(home: Registry, name: string): Promise<void>
  /** Adds and overwrites. */
  putTags(id: number, tags: readonly ResourceTag[]): Promise<void>
  /** Unknown keys are fine. */
  deleteTags(id: number, tagKeys: readonly string[]): Promise<void>
  insertGrant(id: number, grant: Grant): Promise<void>
  /** False when it was gone already. */
  deleteGrant(id: number, grantId: string): Promise<boolean>
}
