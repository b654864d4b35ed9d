import type { Vault } from '../../domain/vault.ts'
import type { Resolved } from '../metadata.ts'
import { type ImageRow, imageColumns, toImage } from './image-rows.ts'
import { prepared } from './prepared.ts'
import { type RefValues, repositoryColumns, toRepository } from './repositories.ts'
import type { Database } from './schema/database.ts'

// Repository, tag, image and manifest by one statement: the path of every pull.

const repositoryPart = repositoryColumns.map((column) => `r.${column}` as const)
const imagePart = imageColumns.filter((column) => column !== 'id').map((column) => `i.${column}` as const)

const byDigest = prepared((db, p: RefValues & { digest: string }) =>
  db
    .selectFrom('repositories as r')
    .leftJoin('images as i', (join) => join.onRef('i.repository_id', '=', 'r.id').on('i.digest', '=', p.digest))
    .leftJoin('image_manifests as m', 'm.image_id', 'i.id')
    .select(repositoryPart)
    .select(imagePart)
    .select(['i.id as image_id', 'm.body', 'm.vault'])
    .where('r.account_id', '=', p.accountId)
    .where('r.region', '=', p.region)
    .where('r.name', '=', p.name)
    .where('r.is_deleted', '=', 0),
)

const byTag = prepared((db, p: RefValues & { tag: string }) =>
  db
    .selectFrom('repositories as r')
    .leftJoin('tags as t', (join) => join.onRef('t.repository_id', '=', 'r.id').on('t.name', '=', p.tag))
    .leftJoin('images as i', 'i.id', 't.image_id')
    .leftJoin('image_manifests as m', 'm.image_id', 'i.id')
    .select(repositoryPart)
    .select(imagePart)
    .select(['i.id as image_id', 'm.body', 'm.vault'])
    .where('r.account_id', '=', p.accountId)
    .where('r.region', '=', p.region)
    .where('r.name', '=', p.name)
    .where('r.is_deleted', '=', 0),
)

type ResolvedRow = Awaited<ReturnType<typeof byDigest>>['rows'][number]

export async function resolveByDigest(
  db: Database,
  values: RefValues & { digest: string },
): Promise<Resolved | undefined> {
  const { rows } = await byDigest(db, values)
  return rows[0] && toResolved(rows[0])
}

export async function resolveByTag(db: Database, values: RefValues & { tag: string }): Promise<Resolved | undefined> {
  const { rows } = await byTag(db, values)
  return rows[0] && toResolved(rows[0])
}

/** An image has a manifest and all its columns, or there is none and they all are null. */
function toResolved(row: ResolvedRow): Resolved {
  const { image_id, body, vault } = row
  if (image_id === null || body === null || vault === null) return { repository: toRepository(row), found: undefined }
  const image = toImage({ ...(row as unknown as ImageRow), id: image_id })
  return { repository: toRepository(row), found: { image, body, vault: vault as Vault } }
}
