import type { RegistryId } from '../names.ts'
import type { Policy } from './policy.ts'

/** A user or a role that a policy names. */
export interface NamedIdentity {
  readonly kind: 'user' | 'role'
  readonly accountId: RegistryId
  /** `/`, or `/a/b/`; unknown where a session is named, whose ARN has no path. */
  readonly path: string | undefined
  readonly name: string
}

const IDENTITY = /^arn:[^:]*:iam::([0-9]{12}):(user|role)(\/(?:[^/]+\/)*)([^/]+)$/
const SESSION = /^arn:[^:]*:sts::([0-9]{12}):assumed-role\/([^/]+)\//

/** The users and roles that a policy's statements name, and the roles of the sessions; accounts need nobody to be there. */
export function namedIdentities({ statements }: Policy): readonly NamedIdentity[] {
  return statements.flatMap(({ principals }) => [...(principals?.arns ?? [])]).flatMap((arn) => identityOf(arn) ?? [])
}

function identityOf(arn: string): NamedIdentity | undefined {
  const [, account, kind, path, name] = IDENTITY.exec(arn) ?? []
  if (account !== undefined && name !== undefined)
    return { kind: kind === 'user' ? 'user' : 'role', accountId: account as RegistryId, path, name }
  const [, roleAccount, role] = SESSION.exec(arn) ?? []
  if (roleAccount === undefined || role === undefined) return undefined
  return { kind: 'role', accountId: roleAccount as RegistryId, path: undefined, name: role }
}
