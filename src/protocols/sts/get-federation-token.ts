import { credentialsOutput, packedSizeOutput, type StsOperation, tagsOf } from './operation.ts'

export const getFederationToken: StsOperation<'GetFederationToken'> = async (input, { principal, userSessions }) => {
  const { credentials, arn, federatedUserId, packedSize } = await userSessions.federate(principal, {
    name: input.Name ?? '',
    durationSeconds: input.DurationSeconds,
    policy: input.Policy,
    policyArns: input.PolicyArns?.flatMap((policy) => policy.arn ?? []),
    tags: tagsOf(input.Tags),
    transitiveKeys: [],
  })
  return {
    Credentials: credentialsOutput(credentials),
    FederatedUser: { Arn: arn, FederatedUserId: federatedUserId },
    ...packedSizeOutput(packedSize),
  }
}
