/** A service of AWS that acts in an account by a role of its own. */
export interface LinkedService {
  readonly name: string
  readonly roleName: string
  readonly policyName: string
}

/** Those that a registry has to do with; none of them takes a suffix. */
export const LINKED_SERVICES: readonly LinkedService[] = [
  {
    name: 'replication.ecr.amazonaws.com',
    roleName: 'AWSServiceRoleForECRReplication',
    policyName: 'ECRReplicationServiceRolePolicy',
  },
  {
    name: 'pullthroughcache.ecr.amazonaws.com',
    roleName: 'AWSServiceRoleForECRPullThroughCache',
    policyName: 'AWSECRPullThroughCache_ServiceRolePolicy',
  },
  {
    name: 'ecr.amazonaws.com',
    roleName: 'AWSServiceRoleForECRTemplate',
    policyName: 'ECRTemplateServiceRolePolicy',
  },
]

/** The trust policy of a service's role. */
export function linkedTrustPolicy({ name }: LinkedService): string {
  const statement = { Action: ['sts:AssumeRole'], Effect: 'Allow', Principal: { Service: [name] } }
  return JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
}

export function linkedRolePath({ name }: LinkedService): string {
  return `/aws-service-role/${name}/`
}
