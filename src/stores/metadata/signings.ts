import { sql } from 'kysely'
import type { Digest } from '../../domain/digest.ts'
import type { Image } from '../../domain/image.ts'
import type { Registry } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import { printPrincipal, readPrincipal } from '../../domain/principal-record.ts'
import type { SigningConfiguration } from '../../domain/signing/configuration.ts'
import type { ImageSigning, SigningFailure } from '../../domain/signing/signing.ts'
import type { Page } from '../page.ts'
import type { PendingSigning, SigningWriter } from '../signing.ts'
import { prepared } from './prepared.ts'
import { repositoryColumns, toRepository } from './repositories.ts'
import type { Session } from './session.ts'

const findConfiguration = prepared((db, p: { accountId: string; region: string }) =>
  db
    .selectFrom('signing_configurations')
    .select('rules')
    .where('account_id', '=', p.accountId)
    .where('region', '=', p.region),
)

const listUnfinished = prepared((db, p: { after: number; limit: number }) =>
  db
    .selectFrom('image_signings as s')
    .innerJoin('images as i', 'i.id', 's.image_id')
    .innerJoin('repositories as r', 'r.id', 'i.repository_id')
    .select(repositoryColumns.map((column) => `r.${column}` as const))
    .select(['s.id as signing_id', 's.profile_arn', 's.principal'])
    .select(['i.digest', 'i.media_type', 'i.manifest_size_bytes'])
    .where('s.status', '=', sql.lit('IN_PROGRESS'))
    .where('s.id', '>', p.after)
    .where('r.is_deleted', '=', 0)
    .orderBy('s.id')
    .limit(p.limit),
)

/** What is signed in registries, and the signatures of images. */
export class Signings implements SigningWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findConfiguration({ registryId, region }: Registry): Promise<SigningConfiguration | undefined> {
    const { rows } = await findConfiguration(this.#session.db, { accountId: registryId, region })
    return rows[0] && toConfiguration(rows[0])
  }

  async putConfiguration({ registryId, region }: Registry, { rules }: SigningConfiguration): Promise<void> {
    const values = { rules: JSON.stringify(rules) }
    await this.#session.db
      .insertInto('signing_configurations')
      .values({ account_id: registryId, region, ...values })
      .onConflict((conflict) => conflict.columns(['account_id', 'region']).doUpdateSet(values))
      .execute()
  }

  async deleteConfiguration({ registryId, region }: Registry): Promise<SigningConfiguration | undefined> {
    const row = await this.#session.db
      .deleteFrom('signing_configurations')
      .where('account_id', '=', registryId)
      .where('region', '=', region)
      .returning('rules')
      .executeTakeFirst()
    return row && toConfiguration(row)
  }

  async request(image: Image, profileArns: readonly string[], principal: Principal): Promise<number> {
    let count = 0
    for (const profileArn of profileArns) {
      const values = {
        principal: printPrincipal(principal),
        status: 'IN_PROGRESS' as const,
        failure_code: null,
        failure_reason: null,
      }
      const row = await this.#session.db
        .insertInto('image_signings')
        .values({ image_id: image.id, profile_arn: profileArn, ...values })
        .onConflict((conflict) =>
          conflict
            .columns(['image_id', 'profile_arn'])
            .doUpdateSet(values)
            .where('image_signings.status', '=', 'FAILED'),
        )
        .returning('id')
        .executeTakeFirst()
      if (row !== undefined) count++
    }
    return count
  }

  async listOfImage(imageId: number): Promise<readonly ImageSigning[]> {
    const rows = await this.#session.db
      .selectFrom('image_signings')
      .select(['id', 'profile_arn', 'status', 'failure_code', 'failure_reason'])
      .where('image_id', '=', imageId)
      .execute()
    return rows
      .toSorted((a, b) => a.id - b.id)
      .map(({ profile_arn, status, failure_code, failure_reason }) => ({
        profileArn: profile_arn,
        status,
        failure: failure_code === null ? undefined : { code: failure_code, reason: failure_reason ?? '' },
      }))
  }

  async listUnfinished({ after = 0, limit }: Page<number>): Promise<readonly PendingSigning[]> {
    const { rows } = await listUnfinished(this.#session.db, { after, limit })
    return rows.map((row) => {
      const { registry, name } = toRepository(row)
      return {
        id: row.signing_id,
        ref: { registry, name },
        image: {
          digest: row.digest as Digest,
          mediaType: row.media_type,
          manifestSizeBytes: row.manifest_size_bytes,
        },
        profileArn: row.profile_arn,
        principal: readPrincipal(row.principal),
      }
    })
  }

  async end(id: number, failure?: SigningFailure): Promise<boolean> {
    const status = failure === undefined ? 'COMPLETE' : 'FAILED'
    const row = await this.#session.db
      .updateTable('image_signings')
      .set({ status, failure_code: failure?.code ?? null, failure_reason: failure?.reason ?? null })
      .where('id', '=', id)
      .where('status', '=', 'IN_PROGRESS')
      .returning('id')
      .executeTakeFirst()
    return row !== undefined
  }
}

function toConfiguration({ rules }: { readonly rules: string }): SigningConfiguration {
  return { rules: JSON.parse(rules) as SigningConfiguration['rules'] }
}
