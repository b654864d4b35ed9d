import { policyNotAttachable } from '../../domain/iam-entities/errors.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { IamReader } from '../../stores/iam.ts'
import type { Entities } from './entities.ts'
import { getAttachable } from './policy-refs.ts'

/** Throws `entity-not-found`, `input-invalid`, `policy-not-attachable` for what cannot bound permissions. */
export async function checkBoundary(
  iam: IamReader,
  { partition }: Entities,
  accountId: RegistryId,
  arn: string,
): Promise<void> {
  const found = await getAttachable(iam, accountId, partition, arn)
  if (found.owner === 'aws' && !found.policy.isAttachable) throw policyNotAttachable(arn)
}

/** The managed policies that bound what users and roles may be permitted. */
export class Boundaries {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** Throws `entity-not-found`, `entity-unmodifiable`, `input-invalid`, `policy-not-attachable`. */
  async put(principal: Principal, kind: 'user' | 'role', name: string, arn: string): Promise<void> {
    const action = kind === 'user' ? 'iam:PutUserPermissionsBoundary' : 'iam:PutRolePermissionsBoundary'
    const details = { facts: { 'iam:permissionsboundary': arn } }
    await this.#entities.change(
      principal,
      action,
      kind,
      name,
      async (entity, { iam }) => {
        await checkBoundary(iam, this.#entities, entity.accountId, arn)
        await iam.update({ ...entity, boundaryArn: arn })
      },
      details,
    )
  }

  /** No boundary is fine. Throws `entity-not-found`, `entity-unmodifiable`. */
  async delete(principal: Principal, kind: 'user' | 'role', name: string): Promise<void> {
    const action = kind === 'user' ? 'iam:DeleteUserPermissionsBoundary' : 'iam:DeleteRolePermissionsBoundary'
    const details = await this.#entities.boundaryDetails(principal, kind, name)
    await this.#entities.change(
      principal,
      action,
      kind,
      name,
      async (entity, { iam }) => iam.update({ ...entity, boundaryArn: undefined }),
      details,
    )
  }
}
