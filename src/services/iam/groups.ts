import type { Group, User } from '../../domain/iam-entities/entity.ts'
import { nameKey } from '../../domain/iam-entities/entity.ts'
import { deleteConflict, entityNotFound, notInGroup, quotaExceeded } from '../../domain/iam-entities/errors.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import type { Principal } from '../../domain/principal.ts'
import { type PageOf, type Paging, pageOf } from '../paging.ts'
import type { Entities } from './entities.ts'
import { markerAfter, pageOfAll } from './markers.ts'

/** The groups of accounts, and who is in them. */
export class Groups {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Throws `entity-exists`, `quota-exceeded`. */
  async create(principal: Principal, name: string, path: string): Promise<Group> {
    const entity = { accountId: principal.accountId, kind: 'group', name, path } as const
    await this.#entities.authorizeArn(principal, 'iam:CreateGroup', this.#entities.arnOf(entity))
    const group = { ...entity, ...this.#entities.birth('group'), tags: [], attributes: {} }
    const quota = { things: 'GroupsPerAccount', limit: IAM_QUOTAS.groups }
    return this.#entities.metadata.transact((tx) => this.#entities.insert(tx, group, quota))
  }

  /** The group and a page of its members. Throws `entity-not-found`. */
  async get(
    principal: Principal,
    name: string,
    paging: Paging,
  ): Promise<{ readonly group: Group; readonly members: PageOf<User> }> {
    const group = await this.#entities.get(principal, 'iam:GetGroup', 'group', name)
    const members = await this.#entities.metadata.view.iam.listMembers(group.id)
    return { group, members: pageOfAll(members, paging, byName) }
  }

  async list(principal: Principal, pathPrefix: string | undefined, paging: Paging): Promise<PageOf<Group>> {
    await this.#entities.authorize(principal, 'iam:ListGroups')
    const page = { pathPrefix, after: markerAfter(paging), limit: paging.limit + 1 }
    const groups = await this.#entities.metadata.view.iam.list('group', principal.accountId, page)
    return pageOf(groups, paging.limit, byName)
  }

  async listOf(principal: Principal, userName: string, paging: Paging): Promise<PageOf<Group>> {
    const user = await this.#entities.get(principal, 'iam:ListGroupsForUser', 'user', userName)
    return pageOfAll(await this.#entities.metadata.view.iam.listGroupsOf(user.id), paging, byName)
  }

  /** Throws `delete-conflict` while it has members or policies. */
  async delete(principal: Principal, name: string): Promise<void> {
    await this.#entities.change(principal, 'iam:DeleteGroup', 'group', name, async ({ id }, { iam }) => {
      if ((await iam.listMembers(id)).length > 0)
        throw deleteConflict('Cannot delete entity, must remove users from group first.')
      if ((await iam.listAttached(id)).length > 0)
        throw deleteConflict('Cannot delete entity, must detach all policies first.')
      if ((await iam.listInline(id)).length > 0)
        throw deleteConflict('Cannot delete entity, must delete policies first.')
      await iam.delete(id)
    })
  }

  /** A member already is fine. Throws `entity-not-found`, `quota-exceeded`. */
  async addMember(principal: Principal, groupName: string, userName: string): Promise<void> {
    await this.#entities.change(principal, 'iam:AddUserToGroup', 'group', groupName, async (group, { iam }) => {
      const user = await iam.find('user', principal.accountId, userName)
      if (user === undefined) throw entityNotFound('user', userName)
      const groups = await iam.listGroupsOf(user.id)
      if (groups.some(({ id }) => id === group.id)) return
      if (groups.length >= IAM_QUOTAS.groupsPerUser) throw quotaExceeded('GroupsPerUser', IAM_QUOTAS.groupsPerUser)
      await iam.addMember(group.id, user.id)
    })
  }

  /** Throws `entity-not-found`. */
  async removeMember(principal: Principal, groupName: string, userName: string): Promise<void> {
    await this.#entities.change(principal, 'iam:RemoveUserFromGroup', 'group', groupName, async (group, { iam }) => {
      const user = await iam.find('user', principal.accountId, userName)
      if (user === undefined) throw entityNotFound('user', userName)
      if (!(await iam.removeMember(group.id, user.id))) throw notInGroup(user.name, group.name)
    })
  }
}

function byName({ name }: { readonly name: string }): string {
  return nameKey(name)
}
