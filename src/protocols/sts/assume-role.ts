import { validationError } from '../../domain/sts-errors.ts'
import { credentialsOutput, packedSizeOutput, type StsOperation, tagsOf } from './operation.ts'

/** Second factors and contexts of identity centres are nothing that callers have here. */
export const assumeRole: StsOperation<'AssumeRole'> = async (input, { principal, roleSessions }) => {
  if (input.ProvidedContexts !== undefined && input.ProvidedContexts.length > 0)
    throw validationError('ProvidedContexts are not supported by this registry.')
  if (input.SerialNumber !== undefined || input.TokenCode !== undefined)
    throw validationError('MultiFactorAuthentication is not supported by this registry: no user has a device.')
  const { credentials, arn, assumedRoleId, packedSize, sourceIdentity } = await roleSessions.assume(principal, {
    roleArn: input.RoleArn ?? '',
    sessionName: input.RoleSessionName ?? '',
    durationSeconds: input.DurationSeconds,
    externalId: input.ExternalId,
    policy: input.Policy,
    policyArns: input.PolicyArns?.flatMap((policy) => policy.arn ?? []),
    tags: tagsOf(input.Tags),
    transitiveKeys: input.TransitiveTagKeys ?? [],
    sourceIdentity: input.SourceIdentity,
  })
  return {
    ...(sourceIdentity === undefined ? {} : { SourceIdentity: sourceIdentity }),
    AssumedRoleUser: { AssumedRoleId: assumedRoleId, Arn: arn },
    Credentials: credentialsOutput(credentials),
    ...packedSizeOutput(packedSize),
  }
}
