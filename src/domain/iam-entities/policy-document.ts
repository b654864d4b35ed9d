import { parseIdentityPolicy, parseTrustPolicy } from '../iam/iam-policies.ts'
import { PolicyMistake } from '../iam/policy-mistake.ts'
import { malformedPolicy } from './errors.ts'

/** Refuses what is no policy for an identity. Throws `policy-malformed`. */
export function checkIdentityPolicy(text: string): void {
  inWordsOfIam(() => parseIdentityPolicy(text))
}

/** Refuses what is no trust policy of a role. Throws `policy-malformed`. */
export function checkTrustPolicy(text: string): void {
  inWordsOfIam(() => parseTrustPolicy(text))
}

function inWordsOfIam(parse: () => unknown): void {
  try {
    parse()
  } catch (thrown) {
    if (!(thrown instanceof PolicyMistake)) throw thrown
    const isPrincipal = thrown.kind === 'principal' && !thrown.message.startsWith('Invalid principal')
    throw malformedPolicy(isPrincipal ? `Invalid principal in policy: ${thrown.message}` : thrown.message, {
      cause: thrown,
    })
  }
}
