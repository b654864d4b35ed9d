import { roleOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'

export const createServiceLinkedRole: IamOperation<'CreateServiceLinkedRole'> = async (input, call) => {
  const options = { description: input.Description, suffix: input.CustomSuffix }
  const role = await call.serviceLinkedRoles.create(call.principal, input.AWSServiceName, options)
  return { Role: roleOutput(role, call) }
}

export const deleteServiceLinkedRole: IamOperation<'DeleteServiceLinkedRole'> = async ({ RoleName }, call) => ({
  DeletionTaskId: await call.serviceLinkedRoles.delete(call.principal, RoleName),
})

export const getServiceLinkedRoleDeletionStatus: IamOperation<'GetServiceLinkedRoleDeletionStatus'> = async (
  { DeletionTaskId },
  call,
) => {
  await call.serviceLinkedRoles.checkDeleted(call.principal, DeletionTaskId)
  return { Status: 'SUCCEEDED' }
}
