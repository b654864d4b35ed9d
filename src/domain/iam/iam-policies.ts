import { type Grammar, NEWEST_VERSION, OLD_VERSION, parsePolicy } from './grammar.ts'
import { patternMatcher } from './pattern.ts'
import type { Policy } from './policy.ts'
import { PolicyMistake } from './policy-mistake.ts'

/** How long policies may be, in characters that are no white space; where IAM counts several together, their sum. */
export const POLICY_SIZES = {
  managed: 6144,
  userInline: 2048,
  groupInline: 5120,
  roleInline: 10240,
  trust: 2048,
  session: 2048,
  key: 32_768,
  secret: 20_480,
} as const

/** How IAM counts the length of a policy. */
export function policySize(text: string): number {
  return text.replace(/\s/g, '').length
}

const VERSIONS = [undefined, OLD_VERSION, NEWEST_VERSION] as const

/** Reads the policy of a user, group or role, managed or not, a boundary, or what narrows a session. Throws `PolicyMistake` in IAM's words. */
export function parseIdentityPolicy(text: string): Policy {
  return parsePolicy(text, {
    versions: VERSIONS,
    principals: [],
    actions: anyAction,
    checkResource: checkArn,
    hasStrictSids: true,
  })
}

/** The actions by which a role is taken on. */
const TRUST_ACTIONS: ReadonlySet<string> = new Set([
  'sts:assumerole',
  'sts:assumerolewithsaml',
  'sts:assumerolewithwebidentity',
  'sts:setcontext',
  'sts:setsourceidentity',
  'sts:tagsession',
])

/** Reads the policy that says who may take a role on. Throws `PolicyMistake` in IAM's words. */
export function parseTrustPolicy(text: string): Policy {
  return parsePolicy(text, {
    versions: VERSIONS,
    principals: ['AWS', 'Service', 'Federated'],
    actions: trustActions,
    hasStrictSids: true,
  })
}

/** Reads the policy of a key or a secret, which names principals, and resources that are its own. Throws `PolicyMistake` in IAM's words. */
export function parseResourcePolicy(text: string): Policy {
  return parsePolicy(text, {
    versions: VERSIONS,
    principals: ['AWS', 'Service'],
    actions: anyAction,
    checkResource: checkArn,
  })
}

function trustActions(entries: readonly string[], isInverted: boolean): (action: string) => boolean {
  for (const text of entries)
    if (text !== '*' && ![...TRUST_ACTIONS].some(patternMatcher(text.toLowerCase())))
      throw new PolicyMistake('AssumeRole policy may only specify STS AssumeRole actions.')
  return anyAction(entries, isInverted)
}

const ACTION = /^[a-z0-9-]+:[a-z0-9*?]+$/i

/** Actions of any service; which ones a service has is not asked, as IAM does not ask. */
function anyAction(entries: readonly string[], isInverted: boolean): ReturnType<Grammar['actions']> {
  const exact = new Set<string>()
  const patterns: ((action: string) => boolean)[] = []
  for (const text of entries) {
    if (text !== '*' && !ACTION.test(text))
      throw new PolicyMistake(
        text.includes(':')
          ? 'Actions/Condition can contain only one colon.'
          : 'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
      )
    const lower = text.toLowerCase()
    if (/[*?]/.test(lower)) patterns.push(patternMatcher(lower))
    else exact.add(lower)
  }
  const isNamed = (action: string) => exact.has(action) || patterns.some((matches) => matches(action))
  return isInverted ? (action) => !isNamed(action) : isNamed
}

function checkArn(text: string): void {
  if (text !== '*' && !/^arn:./.test(text))
    throw new PolicyMistake(`Resource ${text.slice(0, 256)} must be in ARN format or "*".`)
}
