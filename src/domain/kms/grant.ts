import type { Principal } from '../principal.ts'
import { type EncryptionContext, includesContext, isSameContext } from './encryption-context.ts'

/** What a grant may permit with a symmetric key; named as KMS's operations. */
export const GRANT_OPERATIONS = [
  'CreateGrant',
  'Decrypt',
  'DescribeKey',
  'Encrypt',
  'GenerateDataKey',
  'GenerateDataKeyWithoutPlaintext',
  'ReEncryptFrom',
  'ReEncryptTo',
  'RetireGrant',
] as const

export type GrantOperation = (typeof GRANT_OPERATIONS)[number]

/** For which contexts a grant counts. Without either, for all. */
export interface GrantConstraints {
  readonly equals?: EncryptionContext | undefined
  readonly subset?: EncryptionContext | undefined
}

/** The right of one principal to use a key for certain operations. */
export interface Grant {
  /** 64 hexadecimal digits. */
  readonly grantId: string
  /** Names the grant to those who were given it. */
  readonly token: string
  readonly name?: string | undefined
  readonly grantee: string
  readonly retiringPrincipal?: string | undefined
  readonly operations: readonly GrantOperation[]
  readonly constraints?: GrantConstraints | undefined
  /** The account that the principal who made it belongs to. */
  readonly issuingAccount: string
  readonly createdAt: Date
}

/** As grants name a principal: by itself, or by its role's or account's ARN. A service is named as such. */
export function granteeNames({ arn, identityArn }: Pick<Principal, 'arn' | 'identityArn'>): readonly string[] {
  return [...new Set([arn, identityArn])]
}

export function isGrantOperation(name: string): name is GrantOperation {
  return GRANT_OPERATIONS.some((known) => known === name)
}

/** Whether a grant, made for whoever asks, permits the operation with this context. */
export function permits(grant: Grant, operation: GrantOperation, context: EncryptionContext | undefined): boolean {
  if (!grant.operations.includes(operation)) return false
  const { equals, subset } = grant.constraints ?? {}
  // Operations without a context are not what constraints are about.
  if (context === undefined) return true
  if (equals !== undefined && !isSameContext(context, equals)) return false
  return subset === undefined || includesContext(context, subset)
}

/** Whether two grants say the same; their ids and moments aside. */
export function isSameGrant(one: Grant, other: Grant): boolean {
  const text = ({ grantId, token, createdAt, operations, ...rest }: Grant) =>
    JSON.stringify([Object.entries(rest).toSorted(), operations.toSorted()])
  return text(one) === text(other)
}
