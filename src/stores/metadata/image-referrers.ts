import type { Digest } from '../../domain/digest.ts'
import type { Image, ImageStatus, ReferrerFilter } from '../../domain/image.ts'
import type { Page } from '../metadata.ts'
import { imageColumns, toImage } from './image-rows.ts'
import { paddedLists } from './parameter-lists.ts'
import { preparedForItems } from './prepared.ts'
import type { Database } from './schema/database.ts'

interface PageValues {
  readonly repositoryId: number
  readonly subject: string
  readonly after: string
  readonly limit: number
}

type Types = readonly { readonly type: string }[]

function referrers(db: Database, p: PageValues, types: Types) {
  const page = db
    .selectFrom('images')
    .select(imageColumns)
    .where('repository_id', '=', p.repositoryId)
    .where('subject', '=', p.subject)
    .where('digest', '>', p.after)
    .orderBy('digest')
    .limit(p.limit)
  if (types.length === 0) return page
  return page.where(
    'artifact_type',
    'in',
    types.map(({ type }) => type),
  )
}

const referrerPage = preparedForItems(referrers)

const referrerPageOfStatus = preparedForItems((db, p: PageValues & { status: ImageStatus }, types: Types) =>
  referrers(db, p, types).where('status', '=', p.status),
)

/** Images whose subject is `subject`, in ascending order of digest. A subject has few, so they are read through. */
export async function listReferrers(
  db: Database,
  repositoryId: number,
  subject: Digest,
  { artifactTypes = [], status = 'ANY' }: ReferrerFilter,
  { after, limit }: Page<Digest>,
): Promise<readonly Image[]> {
  const page = { repositoryId, subject, after: after ?? '', limit }
  const types = paddedLists(artifactTypes.map((type) => ({ type })))[0] ?? []
  const { rows } =
    status === 'ANY' ? await referrerPage(db, page, types) : await referrerPageOfStatus(db, { ...page, status }, types)
  return rows.map(toImage)
}
