import { type AwsManagedPolicy, findAwsManagedPolicy } from '../../domain/iam-entities/aws-managed-policies.ts'
import type { ManagedPolicy } from '../../domain/iam-entities/entity.ts'
import { invalidInput, policyNotThere } from '../../domain/iam-entities/errors.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { IamReader } from '../../stores/iam.ts'

/** A managed policy: one of an account, or one of AWS's. */
export type PolicyRef =
  | { readonly owner: 'account'; readonly policy: ManagedPolicy }
  | { readonly owner: 'aws'; readonly policy: AwsManagedPolicy }

/** The policy of that very ARN, if it is one that an account may use; ARNs say how names are capitalised. */
export async function findPolicy(
  iam: IamReader,
  accountId: RegistryId,
  partition: string,
  arn: string,
): Promise<PolicyRef | undefined> {
  const parsed = parseIamArn(arn)
  if (parsed?.kind !== 'policy' || parsed.partition !== partition) return undefined
  const { path, name } = parsed
  if (parsed.accountId === 'aws') {
    const policy = findAwsManagedPolicy(path, name)
    return policy && { owner: 'aws', policy }
  }
  if (parsed.accountId !== accountId) return undefined
  const policy = await iam.find('policy', accountId, name)
  return policy?.name === name && policy.path === path ? { owner: 'account', policy } : undefined
}

/** The same for what is about to be attached. Throws `input-invalid` for what is no policy's ARN, `entity-not-found`. */
export async function getAttachable(
  iam: IamReader,
  accountId: RegistryId,
  partition: string,
  arn: string,
): Promise<PolicyRef> {
  if (parseIamArn(arn)?.kind !== 'policy') throw invalidInput(`ARN ${arn} is not valid.`)
  const found = await findPolicy(iam, accountId, partition, arn)
  if (found === undefined) throw policyNotThere(arn)
  return found
}
