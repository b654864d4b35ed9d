import type { Region, RegistryId } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { AuditLog } from '../../stores/audit.ts'
import type { Access } from '../access/access.ts'

/** What can be asked for, one thing at a time, as CloudTrail has it. */
export type AuditAttribute =
  | 'EventId'
  | 'EventName'
  | 'ReadOnly'
  | 'Username'
  | 'ResourceType'
  | 'ResourceName'
  | 'EventSource'
  | 'AccessKeyId'

export interface AuditQuery {
  readonly attribute?: { readonly name: AuditAttribute; readonly value: string } | undefined
  readonly since?: Date | undefined
  readonly until?: Date | undefined
  /** Where the page before ended. */
  readonly before?: number | undefined
  readonly limit: number
}

/** A record as it is looked up: the text, and what CloudTrail tells beside it. */
export interface AuditedEvent {
  readonly sequence: number
  readonly record: string
  readonly eventId: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventTime: Date
  readonly isReadOnly: boolean
  readonly accessKeyId: string | undefined
  readonly userName: string | undefined
  readonly resources: readonly { readonly name: string; readonly type: string }[]
}

/** The members of a record that a search looks at. */
interface StoredRecord {
  readonly eventID: string
  readonly eventName: string
  readonly eventSource: string
  readonly eventTime: string
  readonly awsRegion: string
  readonly readOnly: boolean
  readonly recipientAccountId: string
  readonly userIdentity: {
    readonly type?: string
    readonly userName?: string
    readonly arn?: string
    readonly accessKeyId?: string
  }
  readonly resources?: readonly { readonly ARN: string }[]
}

/** How many records a page looks through before it ends early; the next one goes on there. */
const LOOKED_THROUGH_MAX = 200_000

/** Finds what was written down about an account in a region. */
export class AuditHistory {
  readonly #log: AuditLog
  readonly #access: Access

  constructor(log: AuditLog, access: Access) {
    this.#log = log
    this.#access = access
  }

  /** Newest first. `next`: where the following page begins. Throws `access-denied`. */
  async lookup(
    principal: Principal,
    region: Region,
    query: AuditQuery,
  ): Promise<{ readonly events: readonly AuditedEvent[]; readonly next: number | undefined }> {
    const { accountId } = principal
    await this.#access.authorize(principal, 'cloudtrail:LookupEvents', { arn: '*', ownerAccountId: accountId, region })
    const { attribute, since, until, before, limit } = query
    const events: AuditedEvent[] = []
    const search = { before, since, containing: textsOf(accountId, region, attribute) }
    let lookedThrough = 0
    for await (const { sequence, record } of this.#log.search(search)) {
      const stored = JSON.parse(record) as StoredRecord
      const at = new Date(stored.eventTime)
      if (since !== undefined && at < since) break
      if (++lookedThrough > LOOKED_THROUGH_MAX) return { events, next: sequence + 1 }
      if (until !== undefined && at > until) continue
      if (stored.recipientAccountId !== accountId || stored.awsRegion !== region) continue
      const event = eventOf(sequence, record, stored, at)
      if (attribute !== undefined && !isMeant(event, attribute)) continue
      events.push(event)
      if (events.length === limit) return { events, next: sequence }
    }
    return { events, next: undefined }
  }
}

/** Every record of interest holds these, as JSON spells them. */
function textsOf(accountId: RegistryId, region: string, attribute: AuditQuery['attribute']): readonly string[] {
  const common = [`"recipientAccountId":"${accountId}"`, `"awsRegion":"${region}"`]
  if (attribute === undefined) return common
  const { name, value } = attribute
  if (name === 'ReadOnly') return [...common, `"readOnly":${value === 'true'}`]
  // A type is not in the record; it follows from the ARN.
  return name === 'ResourceType' ? common : [...common, JSON.stringify(value).slice(1, -1)]
}

function isMeant(event: AuditedEvent, { name, value }: NonNullable<AuditQuery['attribute']>): boolean {
  switch (name) {
    case 'EventId':
      return event.eventId === value
    case 'EventName':
      return event.eventName === value
    case 'EventSource':
      return event.eventSource === value
    case 'ReadOnly':
      return String(event.isReadOnly) === value
    case 'Username':
      return event.userName === value
    case 'AccessKeyId':
      return event.accessKeyId === value
    case 'ResourceName':
      return event.resources.some((resource) => resource.name === value)
    case 'ResourceType':
      return event.resources.some((resource) => resource.type === value)
  }
}

function eventOf(sequence: number, record: string, stored: StoredRecord, eventTime: Date): AuditedEvent {
  const { eventID, eventName, eventSource, readOnly, userIdentity, resources = [] } = stored
  return {
    sequence,
    record,
    eventId: eventID,
    eventName,
    eventSource,
    eventTime,
    isReadOnly: readOnly,
    accessKeyId: userIdentity.accessKeyId,
    userName: userNameOf(userIdentity),
    resources: resources.map(({ ARN }) => ({ name: ARN, type: resourceTypeOf(ARN) })),
  }
}

/** As CloudTrail's history shows it: `root`, a user's name, the name of a session. */
function userNameOf({ type, userName, arn }: StoredRecord['userIdentity']): string | undefined {
  if (type === 'Root') return 'root'
  return userName ?? arn?.slice(arn.lastIndexOf('/') + 1)
}

const RESOURCE_TYPES: readonly (readonly [RegExp, string])[] = [
  [/^arn:[\w-]+:ecr:[^:]*:\d{12}:repository\//, 'AWS::ECR::Repository'],
  [/^arn:[\w-]+:ecr-public:[^:]*:\d{12}:repository\//, 'AWS::ECR::PublicRepository'],
  [/^arn:[\w-]+:kms:[^:]*:\d{12}:key\//, 'AWS::KMS::Key'],
  [/^arn:[\w-]+:secretsmanager:/, 'AWS::SecretsManager::Secret'],
  [/^arn:[\w-]+:iam::\d{12}:role\//, 'AWS::IAM::Role'],
  [/^arn:[\w-]+:iam::\d{12}:user\//, 'AWS::IAM::User'],
  [/^arn:[\w-]+:iam::\d{12}:group\//, 'AWS::IAM::Group'],
  [/^arn:[\w-]+:iam::(?:aws|\d{12}):policy\//, 'AWS::IAM::Policy'],
]

function resourceTypeOf(arn: string): string {
  return RESOURCE_TYPES.find(([pattern]) => pattern.test(arn))?.[1] ?? 'Other'
}
