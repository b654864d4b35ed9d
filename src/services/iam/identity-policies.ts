import { findAwsManagedPolicy } from '../../domain/iam-entities/aws-managed-policies.ts'
import type { Entity, InlinePolicy } from '../../domain/iam-entities/entity.ts'
import { iamArn, parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import type { RegistryId } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { IamReader } from '../../stores/iam.ts'
import type { MetadataReader, MetadataStore } from '../../stores/metadata.ts'

/** A managed policy, as the text that holds now. */
export interface ManagedText {
  readonly arn: string
  readonly text: string
}

/** All that says what a user or a role may do. */
export interface IdentityPolicies {
  readonly arn: string
  readonly kind: 'user' | 'role'
  readonly uniqueId: string
  readonly createdAt: Date
  readonly tags: readonly ResourceTag[]
  /** Its own, and those of a user's groups. */
  readonly inline: readonly InlinePolicy[]
  /** Those attached to it, and to a user's groups. */
  readonly managed: readonly ManagedText[]
  /** Absent: its permissions have no bound. */
  readonly boundary?: ManagedText | undefined
}

/**
 * What the policies of an identity are, read in one state of the store. `identity` is its ARN (a role's own, not that of a
 * session) or its unique id. `undefined`: there is none, and it may do nothing. What it answers holds as long as
 * `MetadataStore.policyRevision` stays. Throws when a policy that it names cannot be found: never is that an allowance.
 */
export function identityPoliciesOf(metadata: MetadataStore, identity: string): Promise<IdentityPolicies | undefined> {
  return metadata.read(async (view) => {
    const arn = parseIamArn(identity)
    if (arn === undefined) return readPolicies(view, identity, 'aws')
    const { partition, accountId, kind, path, name } = arn
    if (accountId === 'aws' || (kind !== 'user' && kind !== 'role')) return undefined
    const entity = await view.iam.find(kind, accountId, name)
    // Names are found without regard to case; who is meant is said by the very ARN.
    if (entity === undefined || entity.path !== path || entity.name !== name) return undefined
    return readPolicies(view, entity.uniqueId, partition)
  })
}

async function readPolicies(
  view: MetadataReader,
  uniqueId: string,
  partition: string,
): Promise<IdentityPolicies | undefined> {
  const identity = await view.iam.findIdentity(uniqueId)
  if (identity === undefined) return undefined
  const { entity, inline, attachedArns } = identity
  const { kind, createdAt, tags, boundaryArn } = entity
  const managed: ManagedText[] = []
  for (const arn of attachedArns) managed.push(await managedText(view.iam, entity, arn))
  const boundary = boundaryArn === undefined ? undefined : await managedText(view.iam, entity, boundaryArn)
  return { arn: iamArn(partition, entity), kind, uniqueId, createdAt, tags, inline, managed, boundary }
}

/** The text of a managed policy as it holds now: AWS's own, or one of the account's. `undefined`: there is none. */
export async function findManagedPolicyText(
  iam: IamReader,
  accountId: RegistryId,
  arn: string,
): Promise<string | undefined> {
  const parsed = parseIamArn(arn)
  if (parsed?.kind !== 'policy') return undefined
  if (parsed.accountId === 'aws') return findAwsManagedPolicy(parsed.path, parsed.name)?.version.text
  if (parsed.accountId !== accountId) return undefined
  const policy = await iam.find('policy', accountId, parsed.name)
  const version = policy && (await iam.findVersion(policy.id, policy.attributes.defaultVersion))
  return version?.text
}

async function managedText(iam: IamReader, { accountId }: Entity, arn: string): Promise<ManagedText> {
  const text = await findManagedPolicyText(iam, accountId, arn)
  if (text === undefined) throw new Error(`The managed policy ${arn} is in use and cannot be found`)
  return { arn, text }
}
