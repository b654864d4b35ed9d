import type { Principal } from './principal.ts'

/**
 * By which ARN exclusions know whoever pulls: the session of a role is its role, with the role's path; a federated user is
 * nobody but himself.
 */
export function pullerArn({ kind, arn, identityArn }: Pick<Principal, 'kind' | 'arn' | 'identityArn'>): string {
  return kind === 'federated-user' ? arn : identityArn
}

/** Whether a puller is among the users and roles that are excluded. */
export function isExcluded(excludedArns: readonly string[], puller: string): boolean {
  return /:(?:role|user)\//.test(puller) && excludedArns.includes(puller)
}
