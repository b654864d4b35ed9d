import type { Principal } from '../principal.ts'
import { type Facts, holds } from './conditions.ts'
import type { Policy, Statement } from './policy.ts'
import { matchesPrincipal } from './principals.ts'

/** What somebody wants to do. */
export interface AccessRequest {
  readonly principal: Principal
  /** As `actionKey` writes it. */
  readonly action: string
  /** The ARN of the repository, of all of a registry's (`…:repository/*`), or `*` for the registry itself. */
  readonly resource: string
  /** The account that owns the resource. */
  readonly ownerAccountId: string
  readonly facts: Facts
}

/** `denied`: a statement says so. `not-allowed`: none says that it may. */
export type Decision = 'allowed' | 'denied' | 'not-allowed'

/**
 * The one decision about access, in AWS's order: an explicit denial wins; an account's own principals may do everything
 * else there (they are its administrators); those of another account only what a policy of the resource allows.
 */
export function decide(request: AccessRequest, policies: readonly Policy[]): Decision {
  const about = policies.flatMap(({ statements }) => statements.filter((statement) => isAbout(statement, request)))
  if (about.some((statement) => statement.effect === 'Deny' && applies(statement, request.facts))) return 'denied'
  if (request.principal.accountId === request.ownerAccountId) return 'allowed'
  return about.some((statement) => statement.effect === 'Allow' && applies(statement, request.facts))
    ? 'allowed'
    : 'not-allowed'
}

function isAbout({ principals, actions, resources }: Statement, { principal, action, resource }: AccessRequest) {
  if (!actions.has(action) || !matchesPrincipal(principals, principal)) return false
  if (resources === undefined) return true
  return resources.matchers.some((matches) => matches(resource)) !== resources.isInverted
}

/** Where a condition cannot be judged, an allowance does not count and a denial does. */
function applies({ effect, conditions }: Statement, facts: Facts): boolean {
  let isUnknown = false
  for (const condition of conditions) {
    const outcome = holds(condition, facts)
    if (outcome === false) return false
    if (outcome === 'unknown') isUnknown = true
  }
  return !isUnknown || effect === 'Deny'
}
