import type {
  AssumeRoleCommandInput,
  AssumeRoleCommandOutput,
  AssumeRoleWithWebIdentityCommandInput,
  AssumeRoleWithWebIdentityCommandOutput,
  Credentials,
  DecodeAuthorizationMessageCommandInput,
  DecodeAuthorizationMessageCommandOutput,
  GetAccessKeyInfoCommandInput,
  GetAccessKeyInfoCommandOutput,
  GetCallerIdentityCommandOutput,
  GetFederationTokenCommandInput,
  GetFederationTokenCommandOutput,
  GetSessionTokenCommandInput,
  GetSessionTokenCommandOutput,
  Tag,
} from '@aws-sdk/client-sts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { TemporaryCredentials } from '../../services/credentials/sessions.ts'
import type { AuthorizationMessages } from '../../services/sts/authorization-messages.ts'
import type { RoleSessions } from '../../services/sts/role-sessions.ts'
import type { UserSessions } from '../../services/sts/user-sessions.ts'
import type { WebIdentitySessions } from '../../services/sts/web-identity-sessions.ts'
import type { AwsCall } from '../aws/context.ts'

/** What the operations of STS need. */
export interface StsServices {
  readonly authorizationMessages: AuthorizationMessages
  readonly roleSessions: RoleSessions
  readonly userSessions: UserSessions
  readonly webIdentitySessions: WebIdentitySessions
}

interface Operations {
  AssumeRole: [AssumeRoleCommandInput, AssumeRoleCommandOutput]
  AssumeRoleWithWebIdentity: [AssumeRoleWithWebIdentityCommandInput, AssumeRoleWithWebIdentityCommandOutput]
  DecodeAuthorizationMessage: [DecodeAuthorizationMessageCommandInput, DecodeAuthorizationMessageCommandOutput]
  GetAccessKeyInfo: [GetAccessKeyInfoCommandInput, GetAccessKeyInfoCommandOutput]
  GetCallerIdentity: [object, GetCallerIdentityCommandOutput]
  GetFederationToken: [GetFederationTokenCommandInput, GetFederationTokenCommandOutput]
  GetSessionToken: [GetSessionTokenCommandInput, GetSessionTokenCommandOutput]
}

export type StsCall = AwsCall & StsServices

/** One operation of STS: a checked input in, what AWS answers out. */
export type StsOperation<Name extends keyof Operations> = (
  input: Operations[Name][0],
  call: StsCall,
) => Promise<Omit<Operations[Name][1], '$metadata'>>

/** Temporary credentials as AWS answers them. */
export function credentialsOutput({
  accessKeyId,
  secretAccessKey,
  sessionToken,
  expiresAt,
}: TemporaryCredentials): Credentials {
  return {
    AccessKeyId: accessKeyId,
    SecretAccessKey: secretAccessKey,
    SessionToken: sessionToken,
    Expiration: expiresAt,
  }
}

export function tagsOf(tags: readonly Tag[] | undefined): readonly ResourceTag[] {
  return (tags ?? []).map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
}

/** Left out when nothing was packed, as AWS does. */
export function packedSizeOutput(packedSize: number): { PackedPolicySize?: number } {
  return packedSize === 0 ? {} : { PackedPolicySize: packedSize }
}
