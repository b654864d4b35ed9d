import type { Role } from '../../domain/iam-entities/entity.ts'
import { iamArn, parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import type { Session } from '../../domain/principal.ts'
import type { SessionTags } from '../../domain/session-tags.ts'
import { validationError } from '../../domain/sts-errors.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { Sessions, TemporaryCredentials } from '../credentials/sessions.ts'

/** A role with the name that callers know it by. */
export interface NamedRole {
  readonly role: Role
  readonly arn: string
  readonly partition: string
}

/** A session of a role, as its beginner sees it. */
export interface AssumedRole {
  readonly credentials: TemporaryCredentials
  /** `arn:aws:sts::A:assumed-role/role/session` */
  readonly arn: string
  /** `AROA…:session` */
  readonly assumedRoleId: string
  readonly packedSize: number
  readonly sourceIdentity: string | undefined
}

const SESSION_SECONDS_DEFAULT = 3600

/** The role of an ARN; `undefined` when there is none. Throws `invalid-parameter` for what is no role's ARN. */
export async function findRole(metadata: MetadataStore, arn: string): Promise<NamedRole | undefined> {
  const parsed = parseIamArn(arn)
  if (parsed?.kind !== 'role' || parsed.accountId === 'aws') throw validationError(`${arn.slice(0, 256)} is invalid`)
  const role = await metadata.view.iam.find('role', parsed.accountId, parsed.name)
  // Found without regard to case: the very role is meant by its very ARN.
  if (role === undefined || iamArn(parsed.partition, role) !== arn) return undefined
  return { role, arn, partition: parsed.partition }
}

/** Throws `invalid-parameter` for a session that is too long for the role, or for one that begins in the session of another. */
export function sessionSeconds({ role }: NamedRole, wanted: number | undefined, isChained: boolean): number {
  const seconds = wanted ?? SESSION_SECONDS_DEFAULT
  if (isChained && seconds > SESSION_SECONDS_DEFAULT)
    throw validationError(
      'The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining',
    )
  if (seconds > role.attributes.maxSessionSeconds)
    throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.')
  return seconds
}

/** Begins a session of a role, for somebody who was let in. */
export async function beginRoleSession(
  sessions: Sessions,
  { role, arn, partition }: NamedRole,
  { tags, transitiveKeys }: SessionTags,
  session: Omit<Session, 'issuedAt' | 'expiresAt'>,
  durationSeconds: number,
): Promise<Omit<AssumedRole, 'packedSize'>> {
  const { accountId, uniqueId, name } = role
  const assumedArn = `arn:${partition}:sts::${accountId}:assumed-role/${name}/${session.name}`
  const assumedRoleId = `${uniqueId}:${session.name}`
  const principal = { kind: 'role', accountId, arn: assumedArn, identityArn: arn, userId: assumedRoleId, tags } as const
  const credentials = await sessions.issue({
    principal,
    session,
    durationSeconds,
    identityId: uniqueId,
    transitiveTagKeys: transitiveKeys,
  })
  return { credentials, arn: assumedArn, assumedRoleId, sourceIdentity: session.sourceIdentity }
}
