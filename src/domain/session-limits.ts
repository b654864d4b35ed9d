import { accessDenied, securityTokenInvalid } from './errors.ts'
import type { Principal } from './principal.ts'

/** Whether somebody's credentials come of GetSessionToken or GetFederationToken: less than a role's, since nobody here has shown a second factor. */
function isLimited({ kind, session }: Principal): boolean {
  return session !== undefined && kind !== 'role'
}

/** AWS: sessions without a second factor may not call IAM, nor may federated users. Throws `security-token-invalid`, as IAM does. */
export function checkMayCallIam(principal: Principal): void {
  if (isLimited(principal)) throw securityTokenInvalid()
}

/**
 * AWS: such sessions may call nothing of STS but AssumeRole and GetCallerIdentity, and federated users GetCallerIdentity
 * alone. For all other operations and callers; throws `access-denied`.
 */
export function checkMayCallSts(principal: Principal, operation: string): void {
  if (!isLimited(principal) || (operation === 'AssumeRole' && principal.kind !== 'federated-user')) return
  throw accessDenied(
    principal.arn,
    `sts:${operation}`,
    '*',
    `because: Cannot call ${operation} with session credentials`,
  )
}
