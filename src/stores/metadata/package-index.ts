import type { IndexedPackage, PackageIndexWriter } from '../package-index.ts'
import type { Page } from '../page.ts'
import { insertLists, paddedLists } from './parameter-lists.ts'
import { prepared, preparedForItems } from './prepared.ts'
import type { Session } from './session.ts'

interface Named {
  readonly name: string
}

const findIds = preparedForItems((db, p: { ecosystem: string }, names: readonly Named[]) =>
  db
    .selectFrom('packages')
    .select(['id', 'name'])
    .where('ecosystem', '=', p.ecosystem)
    .where(
      'name',
      'in',
      names.map(({ name }) => name),
    ),
)

const insertPackages = preparedForItems((db, p: { ecosystem: string }, names: readonly Named[]) =>
  db
    .insertInto('packages')
    .values(names.map(({ name }) => ({ ecosystem: p.ecosystem, name })))
    .onConflict((conflict) => conflict.columns(['ecosystem', 'name']).doNothing()),
)

const insertLinks = preparedForItems((db, p: { imageId: number }, packages: readonly { readonly id: number }[]) =>
  db
    .insertInto('image_packages')
    .values(packages.map(({ id }) => ({ package_id: id, image_id: p.imageId })))
    .onConflict((conflict) => conflict.columns(['package_id', 'image_id']).doNothing()),
)

export const deleteLinks = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_packages').where('image_id', '=', p.imageId),
)

const findImages = preparedForItems((db, _: object, packages: readonly { readonly id: number }[]) =>
  db
    .selectFrom('image_packages')
    .select('image_id')
    .where(
      'package_id',
      'in',
      packages.map(({ id }) => id),
    ),
)

const CURSOR = 'rematch'

/** The index of packages over one session. */
export class PackageIndex implements PackageIndexWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  imagesWith(packages: readonly IndexedPackage[]): Promise<readonly number[]> {
    return this.#session.atOnce(async (db) => {
      const images = new Set<number>()
      for (const [ecosystem, ofIt] of Map.groupBy(packages, (one) => one.ecosystem))
        for (const names of paddedLists(ofIt)) {
          const { rows } = await findIds(db, { ecosystem }, names)
          for (const ids of paddedLists(rows))
            for (const row of (await findImages(db, {}, ids)).rows) images.add(row.image_id)
        }
      return [...images]
    })
  }

  async listImages({ after = 0, limit }: Page<number>): Promise<readonly number[]> {
    const rows = await this.#session.db
      .selectFrom('image_packages')
      .select('image_id')
      .where('image_id', '>', after)
      .groupBy('image_id')
      .orderBy('image_id')
      .limit(limit)
      .execute()
    return rows.map((row) => row.image_id)
  }

  async findRevision(): Promise<number | undefined> {
    const row = await this.#session.db
      .selectFrom('advisory_cursors')
      .select('revision')
      .where('name', '=', CURSOR)
      .executeTakeFirst()
    return row?.revision
  }

  async put(imageId: number, packages: readonly IndexedPackage[]): Promise<void> {
    const { db } = this.#session
    await deleteLinks(db, { imageId })
    for (const [ecosystem, ofIt] of Map.groupBy(packages, (one) => one.ecosystem)) {
      const unique = [...new Set(ofIt.map(({ name }) => name))].map((name) => ({ name }))
      for (const names of insertLists(unique)) await insertPackages(db, { ecosystem }, names)
      for (const names of paddedLists(unique)) {
        const { rows } = await findIds(db, { ecosystem }, names)
        for (const ids of insertLists(rows)) await insertLinks(db, { imageId }, ids)
      }
    }
  }

  async putRevision(revision: number): Promise<void> {
    await this.#session.db
      .insertInto('advisory_cursors')
      .values({ name: CURSOR, revision })
      .onConflict((conflict) => conflict.column('name').doUpdateSet({ revision }))
      .execute()
  }
}
