import type { Registry } from '../../domain/names.ts'
import type { ImageOriginWriter } from '../image-origins.ts'
import { prepared } from './prepared.ts'
import { registryOfRow } from './registry-row.ts'
import type { Session } from './session.ts'

const listOf = prepared((db, p: { imageId: number }) =>
  db.selectFrom('image_origins').select(['account_id', 'region']).where('image_id', '=', p.imageId),
)

const clearAll = prepared((db, p: { imageId: number }) =>
  db.deleteFrom('image_origins').where('image_id', '=', p.imageId),
)

/** From which registries images came by replication. */
export class ImageOrigins implements ImageOriginWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async list(imageId: number): Promise<readonly Registry[]> {
    const { rows } = await listOf(this.#session.db, { imageId })
    return rows.map(registryOfRow)
  }

  async add(imageId: number, { registryId, region }: Registry): Promise<void> {
    await this.#session.db
      .insertInto('image_origins')
      .values({ image_id: imageId, account_id: registryId, region })
      .onConflict((conflict) => conflict.columns(['image_id', 'account_id', 'region']).doNothing())
      .execute()
  }

  async remove(imageId: number, { registryId, region }: Registry): Promise<void> {
    await this.#session.db
      .deleteFrom('image_origins')
      .where('image_id', '=', imageId)
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .execute()
  }

  async clear(imageId: number): Promise<void> {
    await clearAll(this.#session.db, { imageId })
  }
}
