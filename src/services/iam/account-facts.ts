import { POLICY_SIZES } from '../../domain/iam/iam-policies.ts'
import { IAM_QUOTAS } from '../../domain/iam-entities/quotas.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Entities } from './entities.ts'

/** What IAM says of accounts as a whole. */
export class AccountFacts {
  readonly #entities: Entities

  constructor(entities: Entities) {
    this.#entities = entities
  }

  /** What the account holds and may hold, by the names that IAM gives the figures. */
  async summary(principal: Principal): Promise<Readonly<Record<string, number>>> {
    await this.#entities.authorize(principal, 'iam:GetAccountSummary')
    return summaryOf(this.#entities, principal)
  }

  /** No operation gives an account an alias. */
  async aliases(principal: Principal): Promise<readonly string[]> {
    await this.#entities.authorize(principal, 'iam:ListAccountAliases')
    return []
  }
}

async function summaryOf(entities: Entities, principal: Principal): Promise<Readonly<Record<string, number>>> {
  const { accountId } = principal
  const { counts, versions, rootKeys } = await entities.metadata.read(async ({ iam, credentials }) => {
    const counts = await iam.counts(accountId)
    let versions = 0
    for (const { id } of await iam.list('policy', accountId, { limit: IAM_QUOTAS.policies }))
      versions += (await iam.listVersions(id)).length
    const rootArn = `arn:${entities.partition}:iam::${accountId}:root`
    return { counts, versions, rootKeys: await credentials.listAccessKeys(rootArn, { limit: 1 }) }
  })
  return {
    Users: counts.get('user') ?? 0,
    UsersQuota: IAM_QUOTAS.users,
    Groups: counts.get('group') ?? 0,
    GroupsQuota: IAM_QUOTAS.groups,
    Roles: counts.get('role') ?? 0,
    RolesQuota: IAM_QUOTAS.roles,
    Policies: counts.get('policy') ?? 0,
    PoliciesQuota: IAM_QUOTAS.policies,
    PolicySizeQuota: POLICY_SIZES.managed,
    PolicyVersionsInUse: versions,
    PolicyVersionsInUseQuota: IAM_QUOTAS.policies * IAM_QUOTAS.versionsPerPolicy,
    VersionsPerPolicyQuota: IAM_QUOTAS.versionsPerPolicy,
    Providers: counts.get('oidc-provider') ?? 0,
    UserPolicySizeQuota: POLICY_SIZES.userInline,
    GroupPolicySizeQuota: POLICY_SIZES.groupInline,
    RolePolicySizeQuota: POLICY_SIZES.roleInline,
    AssumeRolePolicySizeQuota: POLICY_SIZES.trust,
    GroupsPerUserQuota: IAM_QUOTAS.groupsPerUser,
    AccessKeysPerUserQuota: IAM_QUOTAS.accessKeysPerUser,
    AttachedPoliciesPerUserQuota: IAM_QUOTAS.attachedPolicies,
    AttachedPoliciesPerGroupQuota: IAM_QUOTAS.attachedPolicies,
    AttachedPoliciesPerRoleQuota: IAM_QUOTAS.attachedPolicies,
    AccountAccessKeysPresent: rootKeys.length,
    AccountPasswordPresent: 0,
    AccountSigningCertificatesPresent: 0,
    AccountMFAEnabled: 0,
    MFADevices: 0,
    MFADevicesInUse: 0,
    InstanceProfiles: 0,
    ServerCertificates: 0,
    GlobalEndpointTokenVersion: 2,
  }
}
