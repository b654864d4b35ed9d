import type { Principal } from '../principal.ts'
import type { ApiCall, ServiceEvent } from './api-call.ts'
import type { DecidedAccess } from './decided-access.ts'

const EVENT_VERSION = '1.11'
const TEXT_MAX = 1024

/**
 * A call as a CloudTrail record, for the trail of one account. What CloudTrail has no place for (what decided about access) is
 * additional event data.
 */
export function callRecord(call: ApiCall, recipientAccountId: string, eventId: string): object {
  const { principal, circumstances, decisions, error } = call
  const resources = resourcesOf(decisions, recipientAccountId)
  return {
    eventVersion: EVENT_VERSION,
    userIdentity: principal === undefined ? { type: 'Unknown' } : userIdentity(principal),
    eventTime: eventTime(call.at),
    eventSource: call.eventSource,
    eventName: call.eventName,
    awsRegion: call.region,
    sourceIPAddress: circumstances.sourceIp,
    userAgent: circumstances.userAgent.slice(0, TEXT_MAX),
    ...(error === undefined ? {} : { errorCode: error.code, errorMessage: error.message.slice(0, TEXT_MAX) }),
    requestParameters: call.requestParameters ?? null,
    responseElements: call.responseElements ?? null,
    ...(decisions.length === 0 ? {} : { additionalEventData: { decisions: decisions.map(decisionOf) } }),
    requestID: circumstances.requestId,
    eventID: eventId,
    readOnly: call.isReadOnly,
    ...(resources.length === 0 ? {} : { resources }),
    eventType: 'AwsApiCall',
    managementEvent: true,
    recipientAccountId,
    eventCategory: 'Management',
    ...(circumstances.isSecure ? { tlsDetails: {} } : {}),
  }
}

/** What the registry did by itself, as a CloudTrail record. */
export function serviceRecord(event: ServiceEvent, eventId: string): object {
  const { accountId, region, eventSource, eventName, resources, details, isReadOnly = true } = event
  return {
    eventVersion: EVENT_VERSION,
    userIdentity: { accountId, invokedBy: 'AWS Internal' },
    eventTime: eventTime(event.at),
    eventSource,
    eventName,
    awsRegion: region,
    sourceIPAddress: 'AWS Internal',
    userAgent: 'AWS Internal',
    requestParameters: null,
    responseElements: null,
    eventID: eventId,
    readOnly: isReadOnly,
    resources: resources.map((ARN) => ({ accountId, ARN })),
    eventType: 'AwsServiceEvent',
    managementEvent: true,
    recipientAccountId: accountId,
    serviceEventDetails: details,
    eventCategory: 'Management',
  }
}

const TYPES = {
  root: 'Root',
  user: 'IAMUser',
  role: 'AssumedRole',
  'federated-user': 'FederatedUser',
  anonymous: 'AWSAccount',
} as const satisfies Record<Principal['kind'], string>

function userIdentity(principal: Principal): object {
  const { kind, userId: principalId, arn, accountId, accessKeyId, session, identityArn } = principal
  if (kind === 'anonymous') return { type: TYPES[kind], principalId, accountId: 'ANONYMOUS_PRINCIPAL' }
  const identity = { type: TYPES[kind], principalId, arn, accountId, accessKeyId }
  if (session === undefined) return kind === 'user' ? { ...identity, userName: lastOf(arn) } : identity
  const isRole = kind === 'role'
  return {
    ...identity,
    sessionContext: {
      ...(isRole
        ? {
            sessionIssuer: {
              type: 'Role',
              principalId: principalId.split(':', 1)[0],
              arn: identityArn,
              accountId,
              userName: lastOf(identityArn),
            },
          }
        : {}),
      attributes: { creationDate: eventTime(session.issuedAt), mfaAuthenticated: 'false' },
      ...(session.sourceIdentity === undefined ? {} : { sourceIdentity: session.sourceIdentity }),
    },
  }
}

function decisionOf({ action, resource, outcome, by, policy, statementId, isEnforced }: DecidedAccess): object {
  return {
    action,
    resource,
    outcome,
    by,
    ...(policy === undefined ? {} : { policy }),
    ...(statementId === undefined ? {} : { statementId }),
    ...(isEnforced ? {} : { isEnforced }),
  }
}

function resourcesOf(decisions: readonly DecidedAccess[], accountId: string): readonly object[] {
  const arns = new Set(decisions.map(({ resource }) => resource).filter((resource) => resource !== '*'))
  return [...arns].map((ARN) => ({ accountId, ARN }))
}

function eventTime(at: Date): string {
  return at.toISOString().replace(/\.\d{3}Z$/, 'Z')
}

function lastOf(arn: string): string {
  return arn.slice(arn.lastIndexOf('/') + 1)
}
