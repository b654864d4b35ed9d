import type { Decision, PolicyKind } from './evaluate.ts'

const KINDS: Readonly<Record<PolicyKind, string>> = {
  identity: 'identity-based policy',
  resource: 'resource-based policy',
  boundary: 'permissions boundary',
  session: 'session policy',
}

/** Why a request was refused, as AWS ends the sentence of AccessDenied. `action` as the caller wrote it: `ecr:PutImage`. */
export function reasonOf({ outcome, by }: Decision, action: string): string {
  const kind = KINDS[by === 'account' ? 'identity' : by]
  if (outcome === 'not-allowed') return `because no ${kind} allows the ${action} action`
  return `with an explicit deny in ${/^[aeiou]/.test(kind) ? 'an' : 'a'} ${kind}`
}
