import type { Selectable } from 'kysely'
import type { Entity, EntityKind, NewEntity } from '../../domain/iam-entities/entity.ts'
import { nameKey } from '../../domain/iam-entities/entity.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { IamEntitiesTable } from './schema/iam-entities.ts'

type EntityRow = Selectable<IamEntitiesTable>

/** An entity as its row tells it; the caller knows the kind, having asked for it. */
export function toEntity<Kind extends EntityKind>(row: EntityRow): Entity<Kind> {
  return {
    id: row.id,
    accountId: row.account_id as RegistryId,
    kind: row.kind as Kind,
    name: row.name,
    path: row.path,
    uniqueId: row.unique_id,
    createdAt: new Date(row.created_at),
    tags: JSON.parse(row.tags) as Entity['tags'],
    boundaryArn: row.boundary_arn ?? undefined,
    attributes: JSON.parse(row.attributes) as Entity<Kind>['attributes'],
    lastUsed:
      row.last_used_at === null ? undefined : { at: new Date(row.last_used_at), region: row.last_used_region ?? '' },
  }
}

/** What can change of an entity by a name, a path, a boundary or attributes of its own. */
export function toChanges<Kind extends EntityKind>(entity: NewEntity<Kind>) {
  return {
    name_key: nameKey(entity.name),
    name: entity.name,
    path: entity.path,
    boundary_arn: entity.boundaryArn ?? null,
    attributes: JSON.stringify(entity.attributes),
  }
}

export function toNewRow<Kind extends EntityKind>(entity: NewEntity<Kind>) {
  return {
    account_id: entity.accountId,
    kind: entity.kind,
    unique_id: entity.uniqueId,
    created_at: entity.createdAt.getTime(),
    tags: JSON.stringify(entity.tags),
    ...toChanges(entity),
  }
}
