import type { IamOperation } from './operation.ts'

export const putUserPermissionsBoundary: IamOperation<'PutUserPermissionsBoundary'> = async (input, call) => {
  await call.boundaries.put(call.principal, 'user', input.UserName, input.PermissionsBoundary)
  return {}
}

export const putRolePermissionsBoundary: IamOperation<'PutRolePermissionsBoundary'> = async (input, call) => {
  await call.boundaries.put(call.principal, 'role', input.RoleName, input.PermissionsBoundary)
  return {}
}

export const deleteUserPermissionsBoundary: IamOperation<'DeleteUserPermissionsBoundary'> = async (input, call) => {
  await call.boundaries.delete(call.principal, 'user', input.UserName)
  return {}
}

export const deleteRolePermissionsBoundary: IamOperation<'DeleteRolePermissionsBoundary'> = async (input, call) => {
  await call.boundaries.delete(call.principal, 'role', input.RoleName)
  return {}
}
