import { sql } from 'kysely'
import type { BlobAddress } from '../../domain/vault.ts'
import type { InventoryWriter } from '../inventories.ts'
import { prepared } from './prepared.ts'
import type { Session } from './session.ts'

const findFacts = prepared((db, p: { digest: string; vault: string; version: number }) =>
  db
    .selectFrom('layer_facts')
    .select('facts')
    .where('digest', '=', p.digest)
    .where('vault', '=', p.vault)
    .where('analyser_version', '=', p.version),
)

/** What was found in layers. */
export class Inventories implements InventoryWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async findFacts({ digest, vault }: BlobAddress, analyserVersion: number): Promise<Uint8Array | undefined> {
    const { rows } = await findFacts(this.#session.db, { digest, vault, version: analyserVersion })
    return rows[0]?.facts
  }

  async putFacts({ digest, vault }: BlobAddress, analyserVersion: number, facts: Uint8Array, at: Date): Promise<void> {
    const values = { analyser_version: analyserVersion, facts, analysed_at: at.getTime() }
    await this.#session.db
      .insertInto('layer_facts')
      .columns(['digest', 'vault', 'analyser_version', 'facts', 'analysed_at'])
      .expression((eb) =>
        eb
          .selectFrom('blobs')
          .select([
            'digest',
            sql<string>`${vault}`.as('vault'),
            sql<number>`${values.analyser_version}`.as('analyser_version'),
            sql<Uint8Array>`${values.facts}`.as('facts'),
            sql<number>`${values.analysed_at}`.as('analysed_at'),
          ])
          .where('digest', '=', digest)
          .limit(1),
      )
      .onConflict((conflict) => conflict.columns(['digest', 'vault']).doUpdateSet(values))
      .execute()
  }
}
