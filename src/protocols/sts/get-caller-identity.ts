import type { GetCallerIdentityCommandOutput } from '@aws-sdk/client-sts'
import type { AwsCall } from '../aws/context.ts'

/** Who is calling. Needs no permission: whoever signed may ask. */
export async function getCallerIdentity(
  _input: unknown,
  { principal }: AwsCall,
): Promise<Omit<GetCallerIdentityCommandOutput, '$metadata'>> {
  return { Arn: principal.arn, UserId: principal.userId, Account: principal.accountId }
}
