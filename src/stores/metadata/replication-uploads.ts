import type { ReplicationUpload, ReplicationUploadWriter } from '../replication-uploads.ts'
import type { Session } from './session.ts'

/** Where transfers that were begun can be taken up. */
export class ReplicationUploads implements ReplicationUploadWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async find(upload: ReplicationUpload): Promise<string | undefined> {
    const { account_id, region, repository, to_account, to_region, digest } = keyOf(upload)
    const row = await this.#session.db
      .selectFrom('replication_uploads')
      .select('location')
      .where('account_id', '=', account_id)
      .where('region', '=', region)
      .where('repository', '=', repository)
      .where('to_account', '=', to_account)
      .where('to_region', '=', to_region)
      .where('digest', '=', digest)
      .executeTakeFirst()
    return row?.location
  }

  async put(upload: ReplicationUpload, location: string, at: Date): Promise<void> {
    const change = { location, started_at: at.getTime() }
    await this.#session.db
      .insertInto('replication_uploads')
      .values({ ...keyOf(upload), ...change })
      .onConflict((conflict) =>
        conflict
          .columns(['account_id', 'region', 'repository', 'to_account', 'to_region', 'digest'])
          .doUpdateSet(change),
      )
      .execute()
  }

  async delete(upload: ReplicationUpload): Promise<void> {
    const { account_id, region, repository, to_account, to_region, digest } = keyOf(upload)
    await this.#session.db
      .deleteFrom('replication_uploads')
      .where('account_id', '=', account_id)
      .where('region', '=', region)
      .where('repository', '=', repository)
      .where('to_account', '=', to_account)
      .where('to_region', '=', to_region)
      .where('digest', '=', digest)
      .execute()
  }

  async prune(before: Date): Promise<void> {
    await this.#session.db.deleteFrom('replication_uploads').where('started_at', '<', before.getTime()).execute()
  }
}

function keyOf({ ref, destination, digest }: ReplicationUpload) {
  return {
    account_id: ref.registry.registryId as string,
    region: ref.registry.region as string,
    repository: ref.name as string,
    to_account: destination.registryId as string,
    to_region: destination.region as string,
    digest: digest as string,
  }
}
