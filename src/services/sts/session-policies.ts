import { parseIdentityPolicy } from '../../domain/iam/iam-policies.ts'
import { PolicyMistake } from '../../domain/iam/policy-mistake.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import { malformedPolicyDocument, packedPolicyTooLarge, validationError } from '../../domain/sts-errors.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import { findManagedPolicyText } from '../iam/identity-policies.ts'

/** How a request narrows a session. */
export interface Narrowing {
  readonly policy?: string | undefined
  readonly policyArns?: readonly string[] | undefined
}

/** The policies of a session, and how much of its room they take. */
export interface SessionPolicies {
  readonly texts: readonly string[]
  /** In percent. */
  readonly packedSize: number
}

const PLAIN_CHARACTERS_MAX = 2048
const ARNS_MAX = 10
/** What fits into a session once packed: policies, ARNs and tags. */
const PACKED_BYTES_MAX = 4096

/**
 * The texts of the policies that a session is narrowed by, managed ones as they are now. Throws `policy-malformed`,
 * `packed-policy-too-large`, `invalid-parameter`.
 */
export async function sessionPolicies(
  metadata: MetadataStore,
  accountId: RegistryId,
  { policy, policyArns = [] }: Narrowing,
  tags: readonly ResourceTag[],
): Promise<SessionPolicies> {
  if (policyArns.length > ARNS_MAX) throw validationError(`A session takes at most ${ARNS_MAX} managed policies.`)
  const given = [policy ?? '', ...policyArns].join('')
  if (given.length > PLAIN_CHARACTERS_MAX)
    throw packedPolicyTooLarge(Math.ceil((given.length / PLAIN_CHARACTERS_MAX) * 100))
  const texts: string[] = []
  if (policy !== undefined) {
    checkPolicy(policy)
    texts.push(policy)
  }
  for (const arn of policyArns) {
    const text = await findManagedPolicyText(metadata.view.iam, accountId, arn)
    if (text === undefined) throw validationError(`The managed policy ${arn.slice(0, 256)} does not exist.`)
    texts.push(text)
  }
  return { texts, packedSize: await packedSizeOf(given, tags) }
}

function checkPolicy(text: string): void {
  try {
    parseIdentityPolicy(text)
  } catch (cause) {
    if (!(cause instanceof PolicyMistake || cause instanceof SyntaxError)) throw cause
    throw malformedPolicyDocument(cause instanceof PolicyMistake ? cause.message : 'Syntax errors in policy.', {
      cause,
    })
  }
}

async function packedSizeOf(given: string, tags: readonly ResourceTag[]): Promise<number> {
  if (given === '' && tags.length === 0) return 0
  const { deflateRawSync } = await import('node:zlib')
  const bytes = deflateRawSync(given + tags.map(({ key, value }) => `${key}=${value};`).join('')).length
  const percent = Math.ceil((bytes / PACKED_BYTES_MAX) * 100)
  if (percent > 100) throw packedPolicyTooLarge(percent)
  return percent
}
