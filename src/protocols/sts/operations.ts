import stsModel from '../../../models/sts.json' with { type: 'json' }
import type { AwsCall } from '../aws/context.ts'
import { operationTable } from '../aws/operation-table.ts'
import type { QueryService } from '../aws/query.ts'
import { getCallerIdentity } from './get-caller-identity.ts'

const UNSUPPORTED = [
  'AssumeRole',
  'AssumeRoleWithSAML',
  'AssumeRoleWithWebIdentity',
  'AssumeRoot',
  'DecodeAuthorizationMessage',
  'GetAccessKeyInfo',
  'GetDelegatedAccessToken',
  'GetFederationToken',
  'GetSessionToken',
  'GetWebIdentityToken',
]

/** The Security Token Service, as far as clients use it to learn who they are. */
export function stsService(): QueryService {
  const handlers = { GetCallerIdentity: getCallerIdentity }
  return { model: stsModel, operations: operationTable(stsModel, handlers, UNSUPPORTED, (call: AwsCall) => call) }
}
