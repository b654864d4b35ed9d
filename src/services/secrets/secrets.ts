import { keyArn } from '../../domain/kms/key.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import {
  asSecretFailure,
  secretExists,
  secretParameterInvalid,
  secretRequestInvalid,
  secretTokenInvalid,
} from '../../domain/secrets/errors.ts'
import { meets, type SecretFilter } from '../../domain/secrets/filter.ts'
import { CURRENT, type ListedSecret, type ManagedSecret, type NewManagedSecret } from '../../domain/secrets/secret.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import { homeOf, type KeyAccess } from '../kms/key-access.ts'
import { type PageOf, type Paging, pageAfter, pageOf } from '../paging.ts'
import { isReservedKey, RESOURCE_TAGS_MAX, resourceTagMistake } from '../repositories/repository-settings.ts'
import type { SecretAccess, SecretAsk, SecretCaller } from './secret-access.ts'
import type { SecretValue } from './secret-cipher.ts'
import { liveSecret, type SecretValues } from './secret-values.ts'

const NAME = /^[A-Za-z0-9/_+=.@!-]{1,512}$/
const DAY_MS = 86_400_000
const WINDOW_DAYS_MIN = 7
const WINDOW_DAYS_MAX = 30
const ALPHABET = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789'

/** What a caller says of a secret. What is absent keeps its value. */
export interface SecretSettings {
  readonly description?: string | undefined
  readonly type?: string | undefined
  /** By id, ARN or alias; an empty text means none. */
  readonly kmsKey?: string | undefined
  readonly value?: SecretValue | undefined
  readonly versionId?: string | undefined
}

/** What was done to a secret, and which version it made. */
export interface ChangedSecret {
  readonly secret: ManagedSecret
  readonly versionId?: string | undefined
}

export type SecretOrder = 'created-date' | 'last-accessed-date' | 'last-changed-date' | 'name'

export interface SecretQuery extends Paging {
  readonly filters: readonly SecretFilter[]
  readonly includesDeleted: boolean
  readonly order: SecretOrder
  readonly isDescending: boolean
}

/** What secrets go through. */
export interface SecretParts {
  readonly metadata: MetadataStore
  readonly access: SecretAccess
  readonly keyAccess: KeyAccess
  readonly values: SecretValues
  readonly clock: Clock
  readonly ids: Ids
}

/** Secrets: made, described, listed, changed, tagged and deleted. */
export class Secrets {
  readonly #metadata: MetadataStore
  readonly #access: SecretAccess
  readonly #keyAccess: KeyAccess
  readonly #values: SecretValues
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(parts: SecretParts) {
    this.#metadata = parts.metadata
    this.#access = parts.access
    this.#keyAccess = parts.keyAccess
    this.#values = parts.values
    this.#clock = parts.clock
    this.#ids = parts.ids
  }

  /** Made again with the same version and value, it is the one that is there. Throws `secret-exists`, `secret-request-invalid`, `secret-parameter-invalid`, `secret-encryption-failed`. */
  async create(
    caller: SecretCaller,
    name: string,
    settings: SecretSettings,
    tags: readonly ResourceTag[],
  ): Promise<ChangedSecret> {
    const home = homeOf(caller)
    const { description, type, value, versionId = this.#ids.uuid() } = settings
    const facts = {
      'secretsmanager:name': name,
      'secretsmanager:description': description,
      'secretsmanager:kmskeyid': settings.kmsKey,
    }
    await this.#access.authorize(
      caller,
      { action: 'secretsmanager:CreateSecret', facts, requestTags: tags },
      { home, name },
    )
    const tagging = { action: 'secretsmanager:TagResource', requestTags: tags } as const
    if (tags.length > 0) await this.#access.authorize(caller, tagging, { home, name })
    if (!NAME.test(name))
      throw secretParameterInvalid(
        'Invalid name. Must be a valid name containing alphanumeric characters, or any of the following: -/_+=.@!',
      )
    const checked = checkedTags(tags)
    const known = await this.#metadata.view.managedSecrets.find(home, name)
    if (known !== undefined) return await this.#again(caller, known, settings)
    const now = this.#clock.now()
    const kmsKeyArn = await this.#keyOf(caller, settings)
    const wanted: NewManagedSecret = {
      home,
      name,
      suffix: this.#suffix(),
      description,
      type,
      kmsKeyArn,
      createdAt: now,
      changedAt: now,
    }
    const version = value && (await this.#values.prepare(caller, wanted, value, versionId))
    return this.#metadata.transact(async (tx) => {
      const secret = await tx.managedSecrets.insert(wanted)
      await tx.managedSecrets.putTags(secret.id, checked)
      if (version !== undefined) await this.#values.add(tx, secret, version, [CURRENT])
      return { secret, versionId: version?.versionId }
    })
  }

  async describe(caller: SecretCaller, named: string): Promise<ListedSecret> {
    const secret = await this.#access.get(caller, named, { action: 'secretsmanager:DescribeSecret' })
    return this.#listed(secret)
  }

  /** Whether the caller may read its policy, of which there is none. */
  async policyOf(caller: SecretCaller, named: string): Promise<ManagedSecret> {
    return this.#access.get(caller, named, { action: 'secretsmanager:GetResourcePolicy' })
  }

  /** One page. Throws `secret-token-invalid`. */
  async list(caller: SecretCaller, query: SecretQuery): Promise<PageOf<ListedSecret>> {
    await this.#access.authorize(caller, { action: 'secretsmanager:ListSecrets' }, undefined)
    const after = pageAfter(query, secretTokenInvalid)
    const keyOf = ({ secret }: ListedSecret) => `${momentOf(secret, query.order)} ${secret.name}`
    const sign = query.isDescending ? -1 : 1
    const compare = (one: string, other: string) => (one < other ? -sign : one > other ? sign : 0)
    const all = await this.#metadata.view.managedSecrets.list(homeOf(caller))
    const rows = all
      .filter(({ secret }) => query.includesDeleted || secret.deletionAt === undefined)
      .filter((listed) => meets(listed, query.filters))
      .toSorted((one, other) => compare(keyOf(one), keyOf(other)))
      .filter((listed) => after === undefined || compare(keyOf(listed), after) > 0)
    return pageOf(rows.slice(0, query.limit + 1), query.limit, keyOf)
  }

  /** With a value, a new version becomes the current one; with another key, what is labelled is encrypted anew. */
  async update(caller: SecretCaller, named: string, settings: SecretSettings): Promise<ChangedSecret> {
    const facts = { 'secretsmanager:description': settings.description, 'secretsmanager:kmskeyid': settings.kmsKey }
    const secret = await this.#access.getLive(caller, named, { action: 'secretsmanager:UpdateSecret', facts })
    const { description = secret.description, type = secret.type, value, versionId = this.#ids.uuid() } = settings
    const kmsKeyArn = settings.kmsKey === undefined ? secret.kmsKeyArn : await this.#keyOf(caller, settings)
    const changed = { ...secret, description, type, kmsKeyArn }
    const isOtherKey = kmsKeyArn !== secret.kmsKeyArn
    const reencrypted = isOtherKey ? await this.#values.reencrypt(caller, secret, changed) : []
    const version = value && (await this.#values.prepare(caller, changed, value, versionId))
    return this.#metadata.transact(async (tx) => {
      const known = await liveSecret(tx, secret)
      const now = this.#clock.now()
      await tx.managedSecrets.update({ ...known, description, type, kmsKeyArn, changedAt: now })
      for (const one of reencrypted) await tx.managedSecrets.putVersion(secret.id, one)
      if (version !== undefined) await this.#values.add(tx, secret, version, [CURRENT])
      return { secret: changed, versionId: version?.versionId }
    })
  }

  /** At the end of the window, or at once when forced. Answers when it goes. Throws `secret-parameter-invalid`. */
  async delete(
    caller: SecretCaller,
    named: string,
    {
      windowDays,
      isForced = false,
    }: { readonly windowDays?: number | undefined; readonly isForced?: boolean | undefined },
  ): Promise<{ readonly secret: ManagedSecret; readonly deletionAt: Date }> {
    if (isForced && windowDays !== undefined)
      throw secretParameterInvalid("You can't use ForceDeleteWithoutRecovery in conjunction with RecoveryWindowInDays.")
    const days = windowDays ?? WINDOW_DAYS_MAX
    if (days < WINDOW_DAYS_MIN || days > WINDOW_DAYS_MAX)
      throw secretParameterInvalid(
        `The RecoveryWindowInDays value must be between ${WINDOW_DAYS_MIN} and ${WINDOW_DAYS_MAX} days (inclusive).`,
      )
    const facts = {
      'secretsmanager:forcedeletewithoutrecovery': String(isForced),
      'secretsmanager:recoverywindowindays': isForced ? undefined : String(days),
    }
    const ask: SecretAsk = { action: 'secretsmanager:DeleteSecret', facts }
    const secret = isForced
      ? await this.#access.get(caller, named, ask)
      : await this.#access.getLive(caller, named, ask)
    const now = this.#clock.now()
    const deletionAt = isForced ? now : new Date(now.getTime() + days * DAY_MS)
    await this.#metadata.transact(async (tx) => {
      const known = await liveSecret(tx, secret)
      if (isForced) await tx.managedSecrets.delete(known.id)
      else await tx.managedSecrets.update({ ...known, deletionAt })
    })
    return { secret, deletionAt }
  }

  async putTags(caller: SecretCaller, named: string, tags: readonly ResourceTag[]): Promise<void> {
    const ask = { action: 'secretsmanager:TagResource', requestTags: tags } as const
    const secret = await this.#access.getLive(caller, named, ask)
    const checked = checkedTags(tags)
    await this.#metadata.transact(async (tx) => {
      const keys = new Set((await tx.managedSecrets.listTags(secret.id)).map(({ key }) => key))
      for (const { key } of checked) keys.add(key)
      if (keys.size > RESOURCE_TAGS_MAX) throw tooManyTags()
      await tx.managedSecrets.putTags((await liveSecret(tx, secret)).id, checked)
    })
  }

  /** Unknown keys are ignored. */
  async deleteTags(caller: SecretCaller, named: string, tagKeys: readonly string[]): Promise<void> {
    const secret = await this.#access.getLive(caller, named, { action: 'secretsmanager:UntagResource', tagKeys })
    if (tagKeys.some(isReservedKey)) throw secretParameterInvalid('Tag keys that start with aws: cannot be removed.')
    await this.#metadata.transact((tx) => tx.managedSecrets.deleteTags(secret.id, tagKeys))
  }

  /** Whether the window of a deletion has ended. */
  async isDue(): Promise<boolean> {
    return (await this.#metadata.view.managedSecrets.listDue(this.#clock.now(), 1)).length > 0
  }

  /** Deletes what is due, one at a time; `prove` runs in each transaction. Answers how many. */
  async passTime(prove: (tx: MetadataWriter) => Promise<void>): Promise<number> {
    let count = 0
    for (;;) {
      const now = this.#clock.now()
      const isDone = await this.#metadata.transact(async (tx) => {
        await prove(tx)
        const [due] = await tx.managedSecrets.listDue(now, 1)
        if (due !== undefined) await tx.managedSecrets.delete(due.id)
        return due === undefined
      })
      if (isDone) return count
      count++
    }
  }

  async #again(
    caller: SecretCaller,
    known: ManagedSecret,
    { value, versionId }: SecretSettings,
  ): Promise<ChangedSecret> {
    if (known.deletionAt !== undefined)
      throw secretRequestInvalid(
        "You can't create this secret because a secret with this name is already scheduled for deletion.",
      )
    const versions = await this.#metadata.view.managedSecrets.listVersions(known.id)
    if (versionId === undefined || !versions.some((one) => one.versionId === versionId)) throw secretExists(known.name)
    if (value !== undefined) await this.#values.prepare(caller, known, value, versionId)
    return { secret: known, versionId }
  }

  async #listed(secret: ManagedSecret): Promise<ListedSecret> {
    return this.#metadata.read(async ({ managedSecrets }) => ({
      secret,
      tags: await managedSecrets.listTags(secret.id),
      versions: await managedSecrets.listVersions(secret.id),
    }))
  }

  /** The ARN of the key that a caller names, if he may use it. */
  async #keyOf(caller: SecretCaller, { kmsKey: named, value }: SecretSettings): Promise<string | undefined> {
    // The key that Secrets Manager has in every account of AWS is the installation's own here.
    if (!named || /(^|:)alias\/aws\/secretsmanager$/.test(named)) return undefined
    try {
      const viaService = `secretsmanager.${caller.region}.amazonaws.com`
      const asker = { ...caller, viaService }
      const ask = { action: 'kms:GenerateDataKey' } as const
      const key = await this.#keyAccess.find(asker, named, ask, true)
      // Whoever brings a value proves by it that he may use the key; to nobody else is another account's key there.
      const isOwn = key.home.registryId === caller.principal.accountId
      if (!isOwn && value === undefined) await this.#keyAccess.authorize(asker, key, ask)
      return keyArn(key)
    } catch (thrown) {
      throw asSecretFailure(thrown, true)
    }
  }

  #suffix(): string {
    return [...this.#ids.secret(6)].map((byte) => ALPHABET.charAt(byte % ALPHABET.length)).join('')
  }
}

function momentOf(secret: ManagedSecret, order: SecretOrder): string {
  if (order === 'name') return ''
  const moments = {
    'created-date': secret.createdAt,
    'last-accessed-date': secret.accessedAt,
    'last-changed-date': secret.changedAt,
  }
  return String(moments[order]?.getTime() ?? 0).padStart(16, '0')
}

function checkedTags(tags: readonly ResourceTag[]): readonly ResourceTag[] {
  if (tags.length > RESOURCE_TAGS_MAX) throw tooManyTags()
  const mistake = resourceTagMistake(tags)
  if (mistake !== undefined) throw secretParameterInvalid(mistake)
  return tags
}

function tooManyTags() {
  return secretParameterInvalid(`A secret can have at most ${RESOURCE_TAGS_MAX} tags.`)
}
