/** How much an account's IAM holds: AWS's defaults (IAM and STS quotas page). */
export const IAM_QUOTAS = {
  users: 5000,
  groups: 300,
  roles: 1000,
  policies: 1500,
  providers: 100,
  accessKeysPerUser: 2,
  groupsPerUser: 10,
  attachedPolicies: 10,
  versionsPerPolicy: 5,
  tags: 50,
  clientIdsPerProvider: 100,
  thumbprintsPerProvider: 5,
} as const
