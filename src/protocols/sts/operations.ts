import stsModel from '../../../models/sts.json' with { type: 'json' }
import type { AwsCall } from '../aws/context.ts'
import { operationTable } from '../aws/operation-table.ts'
import type { QueryService } from '../aws/query.ts'
import { assumeRole } from './assume-role.ts'
import { assumeRoleWithWebIdentity } from './assume-role-with-web-identity.ts'
import { decodeAuthorizationMessage } from './decode-authorization-message.ts'
import { getAccessKeyInfo } from './get-access-key-info.ts'
import { getCallerIdentity } from './get-caller-identity.ts'
import { getFederationToken } from './get-federation-token.ts'
import { getSessionToken } from './get-session-token.ts'
import type { StsServices } from './operation.ts'

const UNSUPPORTED = ['AssumeRoleWithSAML', 'AssumeRoot', 'GetDelegatedAccessToken', 'GetWebIdentityToken']

/** The Security Token Service: who is calling, and temporary credentials. */
export function stsService(services: StsServices): QueryService {
  const handlers = {
    AssumeRole: assumeRole,
    AssumeRoleWithWebIdentity: assumeRoleWithWebIdentity,
    DecodeAuthorizationMessage: decodeAuthorizationMessage,
    GetAccessKeyInfo: getAccessKeyInfo,
    GetCallerIdentity: getCallerIdentity,
    GetFederationToken: getFederationToken,
    GetSessionToken: getSessionToken,
  }
  const contextFor = (call: AwsCall) => ({ ...call, ...services })
  return { model: stsModel, operations: operationTable(stsModel, handlers, UNSUPPORTED, contextFor) }
}
