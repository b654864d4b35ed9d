import type { Principal } from '../domain/principal.ts'

/** Temporary credentials, and for whom they speak. */
export interface SessionRecord {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** SHA-256 (hex) of the token that every request must repeat; the token itself is kept by nobody here. */
  readonly tokenHash: string
  /** With its `session`. */
  readonly principal: Principal
  /** The id that the user or role behind it had: a namesake made later is somebody else. Empty for an account's root. */
  readonly identityId: string
  /** The long-lived key that asked for it and with which it dies; a role's session dies with the role alone. */
  readonly parentKeyId?: string | undefined
  /** The session tags that the sessions of further roles inherit. */
  readonly transitiveTagKeys: readonly string[]
}

export interface SessionReader {
  find(accessKeyId: string): Promise<SessionRecord | undefined>
}

/** Sessions are revoked by being deleted. */
export interface SessionWriter extends SessionReader {
  insert(session: SessionRecord): Promise<void>
  /** Deletes the sessions of a role, user or root that began before a moment; answers how many. */
  revoke(identityArn: string, issuedBefore: Date): Promise<number>
  /** Deletes up to `limit` sessions that ended before a moment; answers how many. */
  deleteEnded(before: Date, limit: number): Promise<number>
}
