import { isObject } from '../json-values.ts'
import { isRegistryId } from '../names.ts'
import type { Principal } from '../principal.ts'
import { asTexts, PolicyMistake } from './policy-mistake.ts'

/** Whom a statement is about. */
export interface PrincipalPattern {
  /** Given as `NotPrincipal`: about everyone else. */
  readonly isInverted: boolean
  readonly isAnyone: boolean
  /** Whole accounts, with everyone in them. */
  readonly accounts: ReadonlySet<string>
  /** Single users, roles and sessions. */
  readonly arns: ReadonlySet<string>
  /** Identity providers, by ARN or host. */
  readonly federated: ReadonlySet<string>
  /** Services of AWS. */
  readonly services: ReadonlySet<string>
}

/** The kinds of principals that a policy may name. */
export type PrincipalKind = 'AWS' | 'Service' | 'Federated'

/**
 * How a statement means a caller. `itself`: the user, the root, or the very session; `role`: the role behind the session;
 * `account`: everybody in the account, which decides for itself whom it sends; `anyone`: the whole world.
 */
export type Meant = 'itself' | 'role' | 'account' | 'anyone'

/** Who comes with the word of an identity provider, or as a service of AWS: no principal of any account yet. */
export type Outsider = { readonly federated: string } | { readonly service: string }

const ROOT_ARN = /^arn:aws[a-z-]*:iam::([0-9]{12}):root$/
const IDENTITY_ARN =
  /^arn:aws[a-z-]*:(?:iam::[0-9]{12}:(?:user|role)\/[\w+=,.@/-]{1,600}|sts::[0-9]{12}:(?:assumed-role|federated-user)\/[\w+=,.@/-]{1,600})$/
const SERVICE = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/
const PROVIDER = /^(arn:aws[a-z-]*:iam::[0-9]{12}:(?:oidc|saml)-provider\/.{1,300}|[a-z0-9-]+(\.[a-z0-9-]+)+)$/

/**
 * Reads a `Principal` or `NotPrincipal`: `"*"`, or lists by kind. AWS principals are accounts by id or ARN, users, roles,
 * sessions and `*`. Throws `PolicyMistake`, of the kind `principal` for a text that can name nobody.
 */
export function parsePrincipals(
  value: unknown,
  isInverted: boolean,
  allowed: readonly PrincipalKind[] = ['AWS', 'Service'],
): PrincipalPattern {
  const accounts = new Set<string>()
  const arns = new Set<string>()
  const federated = new Set<string>()
  const services = new Set<string>()
  if (value === '*') return { isInverted, isAnyone: true, accounts, arns, federated, services }
  if (!isObject(value)) throw new PolicyMistake('Syntax errors in policy.')
  const kinds = Object.keys(value)
  if (kinds.length === 0) throw new PolicyMistake('Missing required field Principal')
  let isAnyone = false
  for (const kind of kinds) {
    if (!allowed.some((known) => known === kind)) throw new PolicyMistake('Syntax errors in policy.')
    for (const text of asTexts(value[kind])) {
      if (kind === 'Service') addChecked(services, SERVICE, kind, text)
      else if (kind === 'Federated') addChecked(federated, PROVIDER, kind, text)
      else if (text === '*') isAnyone = true
      else addIdentity(text, accounts, arns)
    }
  }
  return { isInverted, isAnyone, accounts, arns, federated, services }
}

/**
 * How a pattern means a caller; `undefined` when it does not. An inverted one spares only those of whom all names are
 * listed: the account, and the user, or the role and its session.
 */
export function meaningOf(pattern: PrincipalPattern, principal: Principal): Meant | undefined {
  const { isInverted, isAnyone, accounts, arns } = pattern
  const { accountId, arn, identityArn, kind } = principal
  if (isInverted) return isAnyone || isSpared(pattern, principal) ? undefined : 'anyone'
  if (arns.size > 0) {
    if (arns.has(arn)) return 'itself'
    if (arns.has(identityArn)) return 'role'
  }
  if (isAnyone) return 'anyone'
  if (accounts.size > 0 && accounts.has(accountId)) return kind === 'root' ? 'itself' : 'account'
  return undefined
}

/** Whether a pattern means somebody from outside. `*` of the kind AWS means identities only, but `"Principal": "*"` cannot be told from it: it means nobody here. */
export function meansOutsider({ isInverted, federated, services }: PrincipalPattern, outsider: Outsider): boolean {
  const isListed = 'federated' in outsider ? federated.has(outsider.federated) : services.has(outsider.service)
  return isListed !== isInverted
}

function isSpared({ accounts, arns }: PrincipalPattern, { accountId, arn, identityArn, kind }: Principal): boolean {
  if (!accounts.has(accountId)) return false
  return kind === 'root' || (arns.has(arn) && arns.has(identityArn))
}

function addIdentity(text: string, accounts: Set<string>, arns: Set<string>): void {
  const accountId = ROOT_ARN.exec(text)?.[1] ?? text
  if (isRegistryId(accountId)) accounts.add(accountId)
  else if (IDENTITY_ARN.test(text)) arns.add(text)
  else throw noPrincipal('AWS', text)
}

function addChecked(names: Set<string>, form: RegExp, kind: PrincipalKind, text: string): void {
  if (!form.test(text)) throw noPrincipal(kind, text)
  names.add(text)
}

function noPrincipal(kind: PrincipalKind, text: string): PolicyMistake {
  return new PolicyMistake(`Invalid principal in policy: "${kind}":"${text.slice(0, 128)}"`, 'principal')
}
