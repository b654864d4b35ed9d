import { invalidParameters } from '../../domain/errors.ts'
import type { User } from '../../domain/iam-entities/entity.ts'
import { nameKey } from '../../domain/iam-entities/entity.ts'
import { deleteConflict, entityExists } from '../../domain/iam-entities/errors.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import { checkTags } from '../../domain/iam-entities/tags.ts'
import type { Principal } from '../../domain/principal.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { PageOf, Paging } from '../paging.ts'
import { pageOf } from '../paging.ts'
import { checkBoundary } from './boundaries.ts'
import type { Entities } from './entities.ts'
import { markerAfter } from './markers.ts'

export interface NewUser {
  readonly name: string
  readonly path: string
  readonly tags: readonly ResourceTag[]
  readonly boundaryArn?: string | undefined
}

/** The users of accounts. */
export class Users {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Throws `entity-exists`, `quota-exceeded`, `input-invalid`, and `entity-not-found` for the boundary. */
  async create(principal: Principal, { name, path, tags, boundaryArn }: NewUser): Promise<User> {
    const { accountId } = principal
    const entity = { accountId, kind: 'user', name, path } as const
    const facts = boundaryArn === undefined ? {} : { 'iam:permissionsboundary': boundaryArn }
    await this.#entities.authorizeNew(principal, 'User', this.#entities.arnOf(entity), tags, facts)
    checkTags(tags)
    return this.#entities.metadata.transact(async (tx) => {
      if (boundaryArn !== undefined) await checkBoundary(tx.iam, this.#entities, accountId, boundaryArn)
      const user = { ...entity, ...this.#entities.birth('user'), tags, boundaryArn, attributes: {} }
      return this.#entities.insert(tx, user, { things: 'UsersPerAccount', limit: IAM_QUOTAS.users })
    })
  }

  /** Throws `entity-not-found`. */
  get(principal: Principal, name: string): Promise<User> {
    return this.#entities.get(principal, 'iam:GetUser', 'user', name)
  }

  /** The calling user. Throws `invalid-parameter` for callers who are no users. */
  async getSelf(principal: Principal): Promise<User> {
    return this.get(principal, await selfNameOf(principal, this.#entities))
  }

  async list(principal: Principal, pathPrefix: string | undefined, paging: Paging): Promise<PageOf<User>> {
    await this.#entities.authorize(principal, 'iam:ListUsers')
    const page = { pathPrefix, after: markerAfter(paging), limit: paging.limit + 1 }
    const users = await this.#entities.metadata.view.iam.list('user', principal.accountId, page)
    return pageOf(users, paging.limit, ({ name }) => name)
  }

  /** Gives a user another name or path; its id, keys and policies stay. Throws `entity-exists`. */
  async update(
    principal: Principal,
    name: string,
    { newName = undefined, newPath = undefined }: { newName?: string | undefined; newPath?: string | undefined },
  ): Promise<void> {
    const entities = this.#entities
    if (newName !== undefined || newPath !== undefined) {
      const { accountId } = principal
      const known = await entities.metadata.view.iam.find('user', accountId, name)
      const target = { accountId, kind: 'user', path: newPath ?? known?.path ?? '/', name: newName ?? name } as const
      await entities.authorizeArn(principal, 'iam:UpdateUser', entities.arnOf(target))
    }
    await entities.change(principal, 'iam:UpdateUser', 'user', name, async (user, tx) => {
      const renamed = { ...user, name: newName ?? user.name, path: newPath ?? user.path }
      const isTaken =
        nameKey(renamed.name) !== nameKey(user.name) &&
        (await tx.iam.find('user', user.accountId, renamed.name)) !== undefined
      if (isTaken) throw entityExists('user', renamed.name)
      await tx.iam.update(renamed)
      await tx.credentials.renamePrincipal(user.id, entities.arnOf(renamed))
    })
  }

  /** Throws `delete-conflict` while anything hangs on the user. */
  async delete(principal: Principal, name: string): Promise<void> {
    await this.#entities.change(principal, 'iam:DeleteUser', 'user', name, async (user, tx) => {
      if ((await tx.iam.listGroupsOf(user.id)).length > 0)
        throw deleteConflict('Cannot delete entity, must remove users from group first.')
      if ((await tx.iam.listAttached(user.id)).length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if ((await tx.iam.listInline(user.id)).length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      const keys = await tx.credentials.listAccessKeys(this.#entities.arnOf(user), { limit: 1 })
      if (keys.length > 0) throw deleteConflict('Cannot delete entity, must delete access keys first.')
      await tx.iam.delete(user.id)
    })
  }
}

/** The name of the calling user. Throws `invalid-parameter` for callers who are no users. */
export async function selfNameOf(principal: Principal, { metadata }: Entities): Promise<string> {
  const self = principal.kind === 'user' ? await metadata.view.iam.findByUniqueId(principal.userId) : undefined
  if (self?.kind !== 'user') throw invalidParameters('Must specify userName when calling with non-User credentials')
  return self.name
}
