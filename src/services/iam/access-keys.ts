import { accessKeyNotFound, entityNotFound, quotaExceeded } from '../../domain/iam-entities/errors.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import { newAccessKeyId, newSecretAccessKey } from '../../domain/iam-entities/unique-id.ts'
import type { Principal } from '../../domain/principal.ts'
import type { AccessKey, AccessKeyFacts, AccessKeyStatus, KeyUser } from '../../stores/credentials.ts'
import type { MetadataReader } from '../../stores/metadata.ts'
import { type PageOf, type Paging, pageOf } from '../paging.ts'
import type { Entities, IamAction } from './entities.ts'
import { markerAfter } from './markers.ts'
import { selfNameOf } from './users.ts'

/** Whose keys an operation is about. */
interface Owner {
  readonly principalArn: string
  /** Absent: the account's root. */
  readonly userName?: string | undefined
  readonly user?: KeyUser | undefined
}

/** A key and the name of its user, where it has one. */
export interface OwnedKey<Key extends AccessKeyFacts = AccessKeyFacts> {
  readonly key: Key
  readonly userName?: string | undefined
}

/** The access keys of users, and of the root that asks for its own. */
export class AccessKeys {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** The only time that the secret is shown. Throws `entity-not-found`, `quota-exceeded`. */
  async create(principal: Principal, userName: string | undefined): Promise<OwnedKey<AccessKey>> {
    const { ids, clock, metadata } = this.#entities
    await this.#authorize(principal, 'iam:CreateAccessKey', userName)
    return metadata.transact(async (tx) => {
      const owner = await this.#ownerIn(tx, principal, userName)
      const { principalArn, user } = owner
      const limit = IAM_QUOTAS.accessKeysPerUser
      const keys = await tx.credentials.listAccessKeys(principalArn, { limit })
      if (keys.length >= limit) throw quotaExceeded('AccessKeysPerUser', limit)
      const key: AccessKey = {
        accessKeyId: newAccessKeyId(ids.secret(10)),
        secretAccessKey: newSecretAccessKey(ids.secret(30)),
        accountId: principal.accountId,
        principalArn,
        createdAt: clock.now(),
        status: 'Active',
        user,
      }
      await tx.credentials.putAccessKey(key)
      return { key, userName: owner.userName }
    })
  }

  async list(principal: Principal, userName: string | undefined, paging: Paging): Promise<PageOf<OwnedKey>> {
    await this.#authorize(principal, 'iam:ListAccessKeys', userName)
    const { view } = this.#entities.metadata
    const owner = await this.#ownerIn(view, principal, userName)
    const page = { after: markerAfter(paging), limit: paging.limit + 1 }
    const { items, nextToken } = pageOf(
      await view.credentials.listAccessKeys(owner.principalArn, page),
      paging.limit,
      ({ accessKeyId }) => accessKeyId,
    )
    return { items: items.map((key) => ({ key, userName: owner.userName })), nextToken }
  }

  /** Throws `entity-not-found`. */
  async setStatus(
    principal: Principal,
    userName: string | undefined,
    accessKeyId: string,
    status: AccessKeyStatus,
  ): Promise<void> {
    await this.#authorize(principal, 'iam:UpdateAccessKey', userName)
    await this.#entities.metadata.transact(async (tx) => {
      await this.#checkOwned(tx, principal, userName, accessKeyId)
      await tx.credentials.setAccessKeyStatus(accessKeyId, status)
    })
  }

  /** Throws `entity-not-found`. */
  async delete(principal: Principal, userName: string | undefined, accessKeyId: string): Promise<void> {
    await this.#authorize(principal, 'iam:DeleteAccessKey', userName)
    await this.#entities.metadata.transact(async (tx) => {
      await this.#checkOwned(tx, principal, userName, accessKeyId)
      await tx.credentials.deleteAccessKey(accessKeyId)
    })
  }

  /** Keys of other accounts are unknown. Throws `entity-not-found`. */
  async getLastUse(principal: Principal, accessKeyId: string): Promise<OwnedKey> {
    const key = await this.#entities.metadata.view.credentials.findAccessKey(accessKeyId)
    const isOwn = key !== undefined && key.accountId === principal.accountId
    const arn = isOwn && key.user !== undefined ? key.principalArn : '*'
    await this.#entities.authorizeArn(principal, 'iam:GetAccessKeyLastUsed', arn)
    if (!isOwn) throw accessKeyNotFound(accessKeyId)
    return { key, userName: key.user && parseIamArn(key.principalArn)?.name }
  }

  async #authorize(principal: Principal, action: IamAction, userName: string | undefined): Promise<void> {
    if (isRootsOwn(principal, userName)) {
      await this.#entities.authorizeArn(principal, action, principal.identityArn)
      return
    }
    await this.#entities.get(principal, action, 'user', userName ?? (await selfNameOf(principal, this.#entities)))
  }

  async #ownerIn(
    view: Pick<MetadataReader, 'iam'>,
    principal: Principal,
    userName: string | undefined,
  ): Promise<Owner> {
    const { accountId } = principal
    if (isRootsOwn(principal, userName))
      return { principalArn: `arn:${this.#entities.partition}:iam::${accountId}:root` }
    const name = userName ?? (await selfNameOf(principal, this.#entities))
    const user = await view.iam.find('user', accountId, name)
    if (user === undefined) throw entityNotFound('user', name)
    const { id, uniqueId, tags } = user
    return { principalArn: this.#entities.arnOf(user), userName: user.name, user: { id, uniqueId, tags } }
  }

  async #checkOwned(
    view: Pick<MetadataReader, 'iam' | 'credentials'>,
    principal: Principal,
    userName: string | undefined,
    accessKeyId: string,
  ): Promise<void> {
    const { principalArn } = await this.#ownerIn(view, principal, userName)
    const key = await view.credentials.findAccessKey(accessKeyId)
    if (key?.principalArn !== principalArn) throw accessKeyNotFound(accessKeyId)
  }
}

/** A root that names no user means itself. */
function isRootsOwn({ kind }: Principal, userName: string | undefined): boolean {
  return userName === undefined && kind === 'root'
}
