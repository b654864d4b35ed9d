import type { Principal } from '../principal.ts'
import type { ResourceTag } from '../repository.ts'
import type { Fact, Facts } from './conditions.ts'

/** What conditions can ask about a request. */
export interface RequestFacts {
  readonly principal: Principal
  /** The account that owns the resource. */
  readonly ownerAccountId: string
  readonly now: Date
  /** The tags of the repository; none when there is no repository (yet). */
  readonly resourceTags: readonly ResourceTag[]
}

const RESOURCE_TAG = /^(?:aws|ecr):resourcetag\/(.+)$/

/** Whether a condition key, in lower case, asks for a tag of the repository. */
export function isResourceTagKey(key: string): boolean {
  return RESOURCE_TAG.test(key)
}

/** The facts by key. A key that is not known here is `unknown`, never absent. */
export function factsOf({ principal, ownerAccountId, now, resourceTags }: RequestFacts): Facts {
  return (key) => {
    const tagKey = RESOURCE_TAG.exec(key)?.[1]
    if (tagKey !== undefined) return tagFact(resourceTags, tagKey)
    switch (key) {
      case 'aws:principalaccount':
        return { value: principal.accountId }
      case 'aws:principalarn':
        return { value: principal.arn }
      case 'aws:principaltype':
        return typeFact(principal)
      case 'aws:username':
        return { value: /:user\/(?:.*\/)?([^/]+)$/.exec(principal.arn)?.[1] }
      case 'aws:userid':
        return { value: principal.userId }
      case 'aws:resourceaccount':
        return { value: ownerAccountId }
      case 'aws:currenttime':
        return { value: now.toISOString() }
      case 'aws:epochtime':
        return { value: String(Math.floor(now.getTime() / 1000)) }
      // No service of AWS calls this registry, and none on behalf of somebody.
      case 'aws:principalisawsservice':
      case 'aws:viaawsservice':
        return { value: 'false' }
      case 'aws:sourceaccount':
      case 'aws:sourcearn':
      case 'aws:sourceowner':
        return { value: undefined }
      default:
        return 'unknown'
    }
  }
}

function typeFact({ arn }: Principal): Fact {
  if (arn.endsWith(':root')) return { value: 'Account' }
  return arn.includes(':user/') ? { value: 'User' } : 'unknown'
}

/** IAM does not tell the cases of tag keys apart; where two differ by case alone, nobody can say which one is meant. */
function tagFact(tags: readonly ResourceTag[], wanted: string): Fact {
  const found = tags.filter(({ key }) => key.toLowerCase() === wanted)
  return found.length > 1 ? 'unknown' : { value: found[0]?.value }
}
