import type { LeaseWriter } from '../leases.ts'
import { prepared } from './prepared.ts'
import type { Session } from './session.ts'

const takeLease = prepared((db, p: { name: string; holder: string; now: number; until: number }) =>
  db
    .insertInto('job_leases')
    .values({ name: p.name, holder: p.holder, expires_at: p.until })
    .onConflict((conflict) =>
      conflict
        .column('name')
        .doUpdateSet({ holder: p.holder, expires_at: p.until })
        .where((eb) => eb.or([eb('job_leases.holder', '=', p.holder), eb('job_leases.expires_at', '<=', p.now)])),
    )
    .returning('name'),
)

const releaseLease = prepared((db, p: { name: string; holder: string }) =>
  db.deleteFrom('job_leases').where('name', '=', p.name).where('holder', '=', p.holder),
)

/** Leases of jobs. */
export class Leases implements LeaseWriter {
  readonly #session: Session

  constructor(session: Session) {
    this.#session = session
  }

  async take(name: string, holder: string, now: Date, until: Date): Promise<boolean> {
    const values = { name, holder, now: now.getTime(), until: until.getTime() }
    const { rows } = await takeLease(this.#session.db, values)
    return rows.length > 0
  }

  async release(name: string, holder: string): Promise<void> {
    await releaseLease(this.#session.db, { name, holder })
  }
}
