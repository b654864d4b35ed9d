import { givenTags, listedRole, roleOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

const SESSION_SECONDS = 3600

export const createRole: IamOperation<'CreateRole'> = async (input, call) => {
  const role = await call.roles.create(call.principal, {
    name: input.RoleName,
    path: input.Path ?? '/',
    trustPolicy: input.AssumeRolePolicyDocument,
    description: input.Description,
    maxSessionSeconds: input.MaxSessionDuration ?? SESSION_SECONDS,
    tags: givenTags(input.Tags),
    boundaryArn: input.PermissionsBoundary,
  })
  return { Role: roleOutput(role, call) }
}

export const getRole: IamOperation<'GetRole'> = async ({ RoleName }, call) => ({
  Role: roleOutput(await call.roles.get(call.principal, RoleName), call),
})

export const listRoles: IamOperation<'ListRoles'> = async (input, call) => {
  const page = await call.roles.list(call.principal, input.PathPrefix, pagingOf(input))
  return { Roles: page.items.map((role) => listedRole(role, call)), ...pageFacts(page) }
}

export const updateRole: IamOperation<'UpdateRole'> = async (input, { principal, roles }) => {
  const changes = { description: input.Description, maxSessionSeconds: input.MaxSessionDuration }
  await roles.update(principal, input.RoleName, 'iam:UpdateRole', changes)
  return {}
}

export const updateRoleDescription: IamOperation<'UpdateRoleDescription'> = async (input, call) => {
  const changes = { description: input.Description }
  const role = await call.roles.update(call.principal, input.RoleName, 'iam:UpdateRoleDescription', changes)
  return { Role: roleOutput(role, call) }
}

export const updateAssumeRolePolicy: IamOperation<'UpdateAssumeRolePolicy'> = async (input, { principal, roles }) => {
  await roles.setTrustPolicy(principal, input.RoleName, input.PolicyDocument)
  return {}
}

export const deleteRole: IamOperation<'DeleteRole'> = async ({ RoleName }, { principal, roles }) => {
  await roles.delete(principal, RoleName)
  return {}
}

/** Terraform asks before it deletes a role. */
export const listInstanceProfilesForRole: IamOperation<'ListInstanceProfilesForRole'> = async (input, call) => {
  await call.roles.checkInstanceProfiles(call.principal, input.RoleName)
  return { InstanceProfiles: [], ...pageFacts({}) }
}
