import type { DecidedAccess } from './audit/decided-access.ts'
import type { Registry, RegistryId } from './names.ts'
import type { ResourceTag } from './repository.ts'

/** Where a request comes from, as far as policies may ask and audit records say. */
export interface Circumstances {
  /** The client's address; empty when the request came through no socket. */
  readonly sourceIp: string
  /** Whether it came over TLS. */
  readonly isSecure: boolean
  readonly userAgent: string
  /** The id under which log, answer and audit record name the request; empty for the registry's own work. */
  readonly requestId: string
  /** The registry whose images are copied here by the request; absent: nobody's, it is somebody's own request. */
  readonly replicatedFrom?: Registry | undefined
  /** Hears what is decided about the request; absent: nobody wants to know. */
  decided?(decision: DecidedAccess): void
}

/** The circumstances of what the registry does by itself. */
export const NOWHERE: Circumstances = { sourceIp: '', isSecure: true, userAgent: '', requestId: '' }

/** What holds for one session of a role, a user or a federated user, beside the policies of the identity behind it. */
export interface Session {
  readonly name: string
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** Policy documents that the session was narrowed by; none: it may do all that its identity may. */
  readonly policies: readonly string[]
  readonly sourceIdentity?: string | undefined
  /** Facts about how the session began, by condition key in lower case, such as the claims of a web identity. */
  readonly facts: Readonly<Record<string, string>>
}

/** Who is asking, as every plane knows it once the credentials were checked. */
export interface Principal {
  readonly kind: 'root' | 'user' | 'role' | 'federated-user' | 'anonymous'
  /** The account the caller belongs to. */
  readonly accountId: RegistryId
  /** As errors and logs name the caller: `arn:aws:iam::A:root`, `…:user/name`, `arn:aws:sts::A:assumed-role/role/session`. */
  readonly arn: string
  /** As `aws:PrincipalArn` and identity policies know the caller: for the session of a role the role itself, otherwise `arn`. */
  readonly identityArn: string
  /** AWS's `UserId`: the account for a root, an `AIDA…` id for a user, `AROA…:session` for the session of a role. */
  readonly userId: string
  /** The access key behind the request, or behind the login token. */
  readonly accessKeyId: string
  /** The tags of identity and session, those of the session first. */
  readonly tags: readonly ResourceTag[]
  /** Absent for long-lived credentials. */
  readonly session?: Session | undefined
  readonly circumstances: Circumstances
}

/** An account's root, by a long-lived key. */
export function rootPrincipal(accountId: RegistryId, arn: string, accessKeyId: string): Principal {
  return longLived('root', accountId, arn, accountId, accessKeyId)
}

/** A user, by a long-lived key. */
export function userPrincipal(accountId: RegistryId, arn: string, userId: string, accessKeyId: string): Principal {
  return longLived('user', accountId, arn, userId, accessKeyId)
}

function longLived(
  kind: 'root' | 'user',
  accountId: RegistryId,
  arn: string,
  userId: string,
  accessKeyId: string,
): Principal {
  return { kind, accountId, arn, identityArn: arn, userId, accessKeyId, tags: [], circumstances: NOWHERE }
}

/** Whoever does not say who he is: welcome where pulls are public, and nowhere else. Its account is nobody's. */
export const ANONYMOUS: Principal = {
  kind: 'anonymous',
  accountId: 'anonymous' as RegistryId,
  arn: 'anonymous',
  identityArn: 'anonymous',
  userId: 'anonymous',
  accessKeyId: '',
  tags: [],
  circumstances: NOWHERE,
}

/** The same principal, asking from elsewhere. */
export function from(principal: Principal, circumstances: Circumstances): Principal {
  return { ...principal, circumstances }
}
