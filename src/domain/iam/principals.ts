import { isRegistryId } from '../names.ts'
import type { Principal } from '../principal.ts'
import { asTexts, isObject, PolicyMistake } from './policy-mistake.ts'

/** Whom a statement is about. */
export interface PrincipalPattern {
  /** Given as `NotPrincipal`: about everyone else. */
  readonly isInverted: boolean
  readonly isAnyone: boolean
  /** Whole accounts, with everyone in them. */
  readonly accounts: ReadonlySet<string>
  /** Single users, roles and sessions. */
  readonly arns: ReadonlySet<string>
}

const ROOT_ARN = /^arn:aws[a-z-]*:iam::([0-9]{12}):root$/
const IDENTITY_ARN =
  /^arn:aws[a-z-]*:(?:iam::[0-9]{12}:(?:user|role)\/[\w+=,.@/-]{1,512}|sts::[0-9]{12}:(?:assumed-role|federated-user)\/[\w+=,.@/-]{1,600})$/
const SERVICE = /^[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/

/**
 * Reads a `Principal` or `NotPrincipal`: `"*"`, or lists of AWS principals (accounts by id or ARN, users, roles, sessions,
 * `*`) and services. No service of AWS calls this registry, so a service is checked and then matches nobody.
 * Throws `PolicyMistake`, of the kind `principal` for a text that can name nobody.
 */
export function parsePrincipals(value: unknown, isInverted: boolean): PrincipalPattern {
  const accounts = new Set<string>()
  const arns = new Set<string>()
  if (value === '*') return { isInverted, isAnyone: true, accounts, arns }
  if (!isObject(value)) throw new PolicyMistake('A principal is "*" or an object')
  const kinds = Object.keys(value)
  if (kinds.length === 0) throw new PolicyMistake('A principal names somebody')
  let isAnyone = false
  for (const kind of kinds) {
    if (kind !== 'AWS' && kind !== 'Service') throw new PolicyMistake('A principal is of the kind AWS or Service')
    for (const text of asTexts(value[kind])) {
      if (kind === 'Service') checkService(text)
      else if (text === '*') isAnyone = true
      else addIdentity(text, accounts, arns)
    }
  }
  return { isInverted, isAnyone, accounts, arns }
}

/**
 * Whether a statement with this pattern is about the principal. An inverted one spares only those whose account is
 * listed as well as themselves, as IAM has it.
 */
export function matchesPrincipal(pattern: PrincipalPattern, { accountId, arn }: Principal): boolean {
  const { isInverted, isAnyone, accounts, arns } = pattern
  const isAccountListed = accounts.has(accountId)
  if (!isInverted) return isAnyone || isAccountListed || arns.has(arn)
  const isAccountItself = ROOT_ARN.test(arn)
  return !(isAnyone || (isAccountListed && (isAccountItself || arns.has(arn))))
}

function addIdentity(text: string, accounts: Set<string>, arns: Set<string>): void {
  const accountId = ROOT_ARN.exec(text)?.[1] ?? text
  if (isRegistryId(accountId)) accounts.add(accountId)
  else if (IDENTITY_ARN.test(text)) arns.add(text)
  else throw new PolicyMistake('A principal is an account, a user, a role or a session', 'principal')
}

function checkService(text: string): void {
  if (!SERVICE.test(text)) throw new PolicyMistake('A service has a name such as lambda.amazonaws.com', 'principal')
}
