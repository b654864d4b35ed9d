import type { Principal } from '../principal.ts'
import type { ResourceTag } from '../repository.ts'
import type { Fact, Facts } from './fact.ts'

/** What conditions can ask about a request. */
export interface RequestFacts {
  readonly principal: Principal
  /** As policies compare it: `ecr:putimage`. */
  readonly action: string
  /** The account that owns the resource. */
  readonly ownerAccountId: string
  readonly now: Date
  /** The tags of the resource; none when there is no resource (yet). */
  readonly resourceTags: readonly ResourceTag[]
  /** The region that was asked. */
  readonly region?: string | undefined
  /** The organisation that all accounts here belong to; absent: nobody has said. */
  readonly organizationId?: string | undefined
  /** The tags that the request carries. */
  readonly requestTags?: readonly ResourceTag[] | undefined
  /** The keys of the tags that the request carries or names. */
  readonly tagKeys?: readonly string[] | undefined
  /** The image that the request is about. */
  readonly image?: ImageFacts | undefined
  /** What the service knows beside that, by condition key in lower case; `undefined`: the key is absent from this request. */
  readonly more?: MoreFacts | undefined
}

/** An image as conditions know it: Ecru's own keys `ecr:ImageTag` and `ecr:ImageDigest`. */
export interface ImageFacts {
  readonly tags: readonly string[]
  readonly digest: string | undefined
}

export type MoreFacts = Readonly<Record<string, string | readonly string[] | undefined>>

const RESOURCE_TAG = /^(?:aws|ecr|ecr-public|secretsmanager|iam):resourcetag\/(.+)$/
const REQUEST_TAG = /^aws:requesttag\/(.+)$/
const PRINCIPAL_TAG = /^aws:principaltag\/(.+)$/
const IMAGE_KEY = /^ecr(?:-public)?:image(?:tag|digest)$/

/** Whether a condition key, in lower case, asks for a tag of the resource. */
export function isResourceTagKey(key: string): boolean {
  return RESOURCE_TAG.test(key)
}

/** Whether it asks for an image. */
export function isImageKey(key: string): boolean {
  return IMAGE_KEY.test(key)
}

/** AWS puts these into requests that never come here: through its services, its network endpoints, its machines. */
const NEVER_HERE: ReadonlySet<string> = new Set([
  'aws:assumedroot',
  'aws:calledvia',
  'aws:calledviafirst',
  'aws:calledvialast',
  'aws:chatbotsourcearn',
  'aws:ec2instancesourceprivateipv4',
  'aws:ec2instancesourcevpc',
  'aws:federatedprovider',
  'aws:multifactorauthage',
  'aws:principalservicename',
  'aws:principalservicenameslist',
  'aws:sourceaccount',
  'aws:sourcearn',
  'aws:sourceidentity',
  'aws:sourceorgid',
  'aws:sourceorgpaths',
  'aws:sourceowner',
  'aws:sourcevpc',
  'aws:sourcevpcarn',
  'aws:sourcevpce',
  'aws:vpceaccount',
  'aws:vpcsourceip',
])

/** IAM and STS put these into requests of single operations, which say so themselves; all others do not have them. */
const OF_SINGLE_OPERATIONS: ReadonlySet<string> = new Set([
  'iam:associatedresourcearn',
  'iam:awsservicename',
  'iam:organizationspolicyid',
  'iam:passedtoservice',
  'iam:permissionsboundary',
  'iam:policyarn',
  'sts:awsservicename',
  'sts:durationseconds',
  'sts:externalid',
  'sts:requestcontextproviders',
  'sts:rolesessionname',
  'sts:sourceidentity',
  'sts:taskpolicyarn',
  'sts:transitivetagkeys',
])

/** Keys whose last part the caller chooses: those that he has not given are absent. */
const CHOSEN_KEY = /^(?:kms:encryptioncontext:|sts:requestcontext\/)./

/** The facts by key. A key that is not known here is `unknown`, never absent. */
export function factsOf(request: RequestFacts): Facts {
  return (key) => {
    const { more, principal } = request
    if (more !== undefined && Object.hasOwn(more, key)) return listed(more[key])
    const ofSession = principal.session?.facts ?? {}
    if (Object.hasOwn(ofSession, key)) return present(ofSession[key] ?? '')
    return key.startsWith('aws:') ? globalFact(key, request) : serviceFact(key, request)
  }
}

function globalFact(key: string, request: RequestFacts): Fact {
  const { principal, ownerAccountId, now, organizationId } = request
  const { session, circumstances } = principal
  switch (key) {
    case 'aws:principalaccount':
      return [principal.accountId]
    case 'aws:principalarn':
      return [principal.identityArn]
    case 'aws:principaltype':
      return [TYPES[principal.kind]]
    case 'aws:username':
      return principal.kind === 'user' ? lastPart(principal.identityArn) : undefined
    case 'aws:userid':
      return [principal.userId]
    case 'aws:resourceaccount':
      return [ownerAccountId]
    case 'aws:principalorgid':
      if (principal.kind === 'anonymous') return undefined
      return organizationId === undefined ? 'unknown' : [organizationId]
    case 'aws:resourceorgid':
      return organizationId === undefined ? 'unknown' : [organizationId]
    case 'aws:currenttime':
      return [now.toISOString()]
    case 'aws:epochtime':
      return [String(Math.floor(now.getTime() / 1000))]
    case 'aws:sourceip':
      return present(circumstances.sourceIp)
    case 'aws:useragent':
      return present(circumstances.userAgent)
    case 'aws:securetransport':
      return [String(circumstances.isSecure)]
    case 'aws:requestedregion':
      return present(request.region ?? '')
    case 'aws:tokenissuetime':
      return session && [session.issuedAt.toISOString()]
    // Only temporary credentials say it, and nobody here has shown a second factor.
    case 'aws:multifactorauthpresent':
      return session && ['false']
    case 'aws:sourceidentity':
      return present(session?.sourceIdentity ?? '')
    case 'aws:tagkeys':
      return request.tagKeys
    // No service of AWS calls this registry, and none on behalf of somebody.
    case 'aws:principalisawsservice':
    case 'aws:viaawsservice':
      return ['false']
  }
  if (NEVER_HERE.has(key)) return undefined
  return tagFact(key, request)
}

function serviceFact(key: string, request: RequestFacts): Fact {
  if (IMAGE_KEY.test(key)) {
    const { image } = request
    return key.endsWith('tag') ? image?.tags : present(image?.digest ?? '')
  }
  if (key === 'ecr:accountsetting' || OF_SINGLE_OPERATIONS.has(key) || CHOSEN_KEY.test(key)) return undefined
  if (RESOURCE_TAG.test(key)) return tagFact(key, request)
  const prefix = key.slice(0, Math.max(key.indexOf(':'), 0))
  const service = request.action.slice(0, request.action.indexOf(':'))
  // What is said of the requests of one service, or of the claims of a web identity, other requests do not have.
  return prefix !== '' && prefix !== service ? undefined : 'unknown'
}

function tagFact(key: string, { principal, resourceTags, requestTags = [] }: RequestFacts): Fact {
  const ofResource = RESOURCE_TAG.exec(key)?.[1]
  if (ofResource !== undefined) return tagOf(resourceTags, ofResource)
  const ofRequest = REQUEST_TAG.exec(key)?.[1]
  if (ofRequest !== undefined) return tagOf(requestTags, ofRequest)
  const ofPrincipal = PRINCIPAL_TAG.exec(key)?.[1]
  if (ofPrincipal === undefined) return 'unknown'
  // Those of the session come first, and replace the identity's.
  const found = principal.tags.find((tag) => tag.key.toLowerCase() === ofPrincipal)
  return found && [found.value]
}

/** IAM does not tell the cases of tag keys apart; where two differ by case alone, nobody can say which one is meant. */
function tagOf(tags: readonly ResourceTag[], wanted: string): Fact {
  const found = tags.filter(({ key }) => key.toLowerCase() === wanted)
  if (found.length > 1) return 'unknown'
  return found[0] && [found[0].value]
}

const TYPES: Readonly<Record<Principal['kind'], string>> = {
  root: 'Account',
  user: 'User',
  role: 'AssumedRole',
  'federated-user': 'FederatedUser',
  anonymous: 'Anonymous',
}

function listed(value: MoreFacts[string]): Fact {
  return typeof value === 'string' ? [value] : value
}

function present(text: string): Fact {
  return text === '' ? undefined : [text]
}

function lastPart(arn: string): Fact {
  return [arn.slice(arn.lastIndexOf('/') + 1)]
}
