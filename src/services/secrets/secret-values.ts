import { isRegistryError } from '../../domain/errors.ts'
import { secretNotFound, secretValueNotFound, secretVersionExists } from '../../domain/secrets/errors.ts'
import { CURRENT, type ManagedSecret, type SecretVersion } from '../../domain/secrets/secret.ts'
import { movedStages } from '../../domain/secrets/stages.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { SecretAccess, SecretCaller } from './secret-access.ts'
import { isSameValue, type SecretCipher, type SecretValue } from './secret-cipher.ts'

const DAY_MS = 86_400_000

/** How many versions without a label are kept. */
const UNLABELLED_MAX = 100

/** A value with the version it is of. */
export interface FoundValue {
  readonly secret: ManagedSecret
  readonly version: SecretVersion
  readonly value: SecretValue
}

/** The values of secrets: put as versions, and read by version or label. */
export class SecretValues {
  readonly #metadata: MetadataStore
  readonly #access: SecretAccess
  readonly #cipher: SecretCipher
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, access: SecretAccess, cipher: SecretCipher, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#access = access
    this.#cipher = cipher
    this.#clock = clock
    this.#ids = ids
  }

  /** By version, by label, or by both, which must then agree; else the current one. Throws `secret-not-found`, `secret-decryption-failed`. */
  async get(caller: SecretCaller, named: string, versionId?: string, stage?: string): Promise<FoundValue> {
    const facts = {
      'secretsmanager:versionid': versionId,
      'secretsmanager:versionstage': stage ?? (versionId === undefined ? CURRENT : undefined),
    }
    const secret = await this.#access.getLive(caller, named, { action: 'secretsmanager:GetSecretValue', facts })
    const wanted = stage ?? (versionId === undefined ? CURRENT : undefined)
    const versions = await this.#metadata.view.managedSecrets.listVersions(secret.id)
    const version = versions.find(
      (one) =>
        (versionId === undefined || one.versionId === versionId) &&
        (wanted === undefined || one.stages.includes(wanted)),
    )
    if (version === undefined)
      throw secretValueNotFound(versionId === undefined ? `staging label: ${wanted}` : `VersionId: ${versionId}`)
    const value = await this.#cipher.decrypt(caller, secret, version)
    await this.#noteAccess(secret)
    return { secret, version, value }
  }

  /** A new version. The same version with the same value again is fine. Throws `secret-exists` for another value. */
  async put(
    caller: SecretCaller,
    named: string,
    value: SecretValue,
    {
      versionId = this.#ids.uuid(),
      stages = [CURRENT],
    }: { versionId?: string | undefined; stages?: readonly string[] | undefined },
  ): Promise<{ readonly secret: ManagedSecret; readonly version: SecretVersion }> {
    const secret = await this.#access.getLive(caller, named, { action: 'secretsmanager:PutSecretValue' })
    const version = await this.prepare(caller, secret, value, versionId)
    return this.#metadata.transact(async (tx) => {
      const added = await this.add(tx, secret, version, stages)
      const known = await liveSecret(tx, secret)
      await tx.managedSecrets.update({ ...known, changedAt: this.#clock.now() })
      return { secret, version: added }
    })
  }

  /** A version that is not kept yet: encrypted before the transaction, since KMS has its own. Throws `secret-exists`, `secret-encryption-failed`. */
  async prepare(
    caller: SecretCaller,
    secret: Pick<ManagedSecret, 'home' | 'name' | 'suffix' | 'kmsKeyArn'> & { readonly id?: number },
    value: SecretValue,
    versionId: string,
  ): Promise<SecretVersion> {
    const known = secret.id === undefined ? undefined : await this.#find(secret.id, versionId)
    if (known !== undefined) {
      if (!isSameValue(await this.#cipher.decrypt(caller, secret, known), value)) throw secretVersionExists(versionId)
      return known
    }
    const encrypted = await this.#cipher.encrypt(caller, secret, versionId, value)
    return { versionId, stages: [], createdAt: this.#clock.now(), ...encrypted }
  }

  /** Keeps a prepared version under these labels, which move to it. */
  async add(
    tx: MetadataWriter,
    { id }: Pick<ManagedSecret, 'id'>,
    version: SecretVersion,
    stages: readonly string[],
  ): Promise<SecretVersion> {
    const before = await tx.managedSecrets.listVersions(id)
    const isKnown = before.some(({ versionId }) => versionId === version.versionId)
    if (!isKnown) await tx.managedSecrets.putVersion(id, version)
    const after = movedStages(isKnown ? before : [...before, version], version.versionId, stages)
    for (const one of after) await tx.managedSecrets.setStages(id, one.versionId, one.stages)
    const unlabelled = after.filter((one) => one.stages.length === 0)
    for (const one of unlabelled.slice(0, Math.max(0, unlabelled.length - UNLABELLED_MAX)))
      await tx.managedSecrets.deleteVersion(id, one.versionId)
    return after.find(({ versionId }) => versionId === version.versionId) ?? version
  }

  /** All labelled versions, encrypted by another key. */
  async reencrypt(
    caller: SecretCaller,
    secret: ManagedSecret,
    changed: ManagedSecret,
  ): Promise<readonly SecretVersion[]> {
    const versions = await this.#metadata.view.managedSecrets.listVersions(secret.id)
    const done: SecretVersion[] = []
    for (const version of versions.filter(({ stages }) => stages.length > 0)) {
      const { versionId, stages, createdAt } = version
      const value = await this.#cipher.decrypt(caller, secret, version)
      done.push({ versionId, stages, createdAt, ...(await this.#cipher.encrypt(caller, changed, versionId, value)) })
    }
    return done
  }

  async #find(id: number, versionId: string): Promise<SecretVersion | undefined> {
    const versions = await this.#metadata.view.managedSecrets.listVersions(id)
    return versions.find((version) => version.versionId === versionId)
  }

  /** The day, as Secrets Manager has it; a value can be read also when there is no room to note that it was. */
  async #noteAccess(secret: ManagedSecret): Promise<void> {
    const accessedAt = new Date(Math.floor(this.#clock.now().getTime() / DAY_MS) * DAY_MS)
    if (secret.accessedAt?.getTime() === accessedAt.getTime()) return
    try {
      await this.#metadata.transact(
        async (tx) => {
          const known = await tx.managedSecrets.find(secret.home, secret.name)
          if (known?.id === secret.id) await tx.managedSecrets.update({ ...known, accessedAt })
        },
        { durability: 'relaxed' },
      )
    } catch (thrown) {
      if (!isRegistryError(thrown, 'storage-full')) throw thrown
    }
  }
}

/** The secret as it is in the transaction. Throws `secret-not-found`. */
export async function liveSecret(tx: MetadataWriter, { home, name, id }: ManagedSecret): Promise<ManagedSecret> {
  const known = await tx.managedSecrets.find(home, name)
  if (known?.id !== id) throw secretNotFound()
  return known
}
