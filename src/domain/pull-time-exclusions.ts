const IDENTITY =
  /^arn:[^:]*:(?:iam::([0-9]{12}):(role|user)\/(?:[^/]+\/)*([^/]+)|sts::([0-9]{12}):assumed-role\/([^/]+)\/.*)$/

/**
 * Whether one of the excluded principals is the caller. The session of a role counts as its role. A session does not tell
 * the path of its role, and names are unique in an account whatever their path, so paths are left out.
 */
export function isExcluded(excludedArns: readonly string[], callerArn: string): boolean {
  const caller = identityOf(callerArn)
  return caller !== undefined && excludedArns.some((arn) => identityOf(arn) === caller)
}

/** `undefined` for whoever is neither a user nor a role, such as the root user of an account. */
function identityOf(arn: string): string | undefined {
  const match = IDENTITY.exec(arn)
  if (match === null) return undefined
  const [, account, kind, name, roleAccount, role] = match
  return role === undefined ? `${account} ${kind} ${name}` : `${roleAccount} role ${role}`
}
