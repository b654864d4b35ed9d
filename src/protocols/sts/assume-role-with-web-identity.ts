import { credentialsOutput, packedSizeOutput, type StsOperation } from './operation.ts'

/** Called without a signature: the token says who is there. */
export const assumeRoleWithWebIdentity: StsOperation<'AssumeRoleWithWebIdentity'> = async (
  input,
  { principal, webIdentitySessions },
) => {
  const assumed = await webIdentitySessions.assume(
    {
      roleArn: input.RoleArn ?? '',
      sessionName: input.RoleSessionName ?? '',
      token: input.WebIdentityToken ?? '',
      durationSeconds: input.DurationSeconds,
      policy: input.Policy,
      policyArns: input.PolicyArns?.flatMap((policy) => policy.arn ?? []),
    },
    principal.circumstances,
  )
  const { credentials, arn, assumedRoleId, sourceIdentity } = assumed
  return {
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    SubjectFromWebIdentityToken: assumed.subject,
    Audience: assumed.audience,
    AssumedRoleUser: { AssumedRoleId: assumedRoleId, Arn: arn },
    Credentials: credentialsOutput(credentials),
    Provider: assumed.provider,
    ...packedSizeOutput(assumed.packedSize),
  }
}
