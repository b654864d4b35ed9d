import type { Digest } from '../domain/digest.ts'
import type { RepositoryRef } from '../domain/names.ts'

/** A bundle of advisories that was pushed, and what became of its import. */
export interface AdvisoryPush {
  /** The store's own key, ascending with time. */
  readonly id: number
  readonly ref: RepositoryRef
  readonly digest: Digest
  /** An ARN. */
  readonly pushedBy: string
  readonly pushedAt: Date
  /** `REFUSED`: the pusher may push, but not import. */
  readonly state: 'QUEUED' | 'IMPORTED' | 'FAILED' | 'REFUSED'
  /** How many times it was begun without an end. */
  readonly attempts: number
  readonly endedAt?: Date | undefined
  /** One sentence, of what was not imported. */
  readonly reason?: string | undefined
}

export interface AdvisoryPushReader {
  /** Those that are to be imported by then, in the order in which they were pushed. */
  listDue(at: Date, limit: number): Promise<readonly AdvisoryPush[]>
  /** The newest first. */
  listNewest(limit: number): Promise<readonly AdvisoryPush[]>
}

/** Bundles of advisories that pushes brought. Those that have ended are kept for a while, so that people see what became of them. */
export interface AdvisoryPushWriter extends AdvisoryPushReader {
  /** Asks for an import, or records that it was refused, for that reason. */
  add(push: Pick<AdvisoryPush, 'ref' | 'digest' | 'pushedBy' | 'pushedAt'>, refusal?: string): Promise<void>
  /** One more attempt. False: it has ended meanwhile. */
  begin(id: number): Promise<boolean>
  postpone(id: number, dueAt: Date): Promise<void>
  /** Without a reason it was imported. */
  end(id: number, at: Date, reason?: string): Promise<void>
}
