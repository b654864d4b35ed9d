import { accessDenied, invalidParameter } from '../../domain/errors.ts'
import type { InspectorInputs } from './inputs.ts'
import { callerOf, type InspectorCall, type InspectorOperation } from './operation.ts'

const ON = 'ENABLED'
const OFF = 'DISABLED'

/** Enhanced scanning is all of Inspector that is here. Of other accounts nothing is told. */
export const batchGetAccountStatus: InspectorOperation<'BatchGetAccountStatus'> = async ({ accountIds }, call) => {
  const caller = callerOf(call, 'BatchGetAccountStatus')
  const { registryId } = caller.registry
  const isEnabled = await call.inspector.isEnabled(caller)
  const state = (status: string) => ({ status, errorCode: 'ALREADY_ENABLED', errorMessage: NO_ERROR })
  const ids = accountIds === undefined || accountIds.length === 0 ? [registryId] : accountIds
  const own = ids.filter((id) => id === registryId)
  return {
    accounts: own.map((accountId) => ({
      accountId,
      state: state(isEnabled ? ON : OFF),
      resourceState: { ec2: state(OFF), ecr: state(isEnabled ? ON : OFF), lambda: state(OFF) },
    })),
    failedAccounts: ids
      .filter((id) => id !== registryId)
      .map((accountId) => ({ accountId, errorCode: 'ACCESS_DENIED', errorMessage: 'The account is another one.' })),
  }
}

const NO_ERROR = 'No error.'

/** Switches enhanced scanning on: continuously and everywhere, unless there are rules already. */
export const enable: InspectorOperation<'Enable'> = (input, call) => switchTo(true, input, call)

/** Switches enhanced scanning off: the registry is scanned by basic scans again. */
export const disable: InspectorOperation<'Disable'> = (input, call) => switchTo(false, input, call)

async function switchTo(isEnabled: boolean, input: InspectorInputs['Disable'], call: InspectorCall): Promise<object> {
  const action = isEnabled ? 'Enable' : 'Disable'
  const caller = callerOf(call, action)
  const { registryId } = caller.registry
  const wasEnabled = await call.inspector.isEnabled(caller)
  const { accountIds = [], resourceTypes = [] } = input
  const others = accountIds.filter((id) => id !== registryId)
  if (others.length > 0)
    throw accessDenied(call.principal.arn, `inspector2:${action}`, '*', 'because it is not for other accounts')
  const unknown = resourceTypes.filter((type) => type !== 'ECR')
  if (isEnabled && unknown.length > 0) throw invalidParameter('resourceTypes', 'Only ECR can be scanned here')
  const isMeant = isEnabled || resourceTypes.length === 0 || resourceTypes.includes('ECR')
  if (isMeant) await call.inspector.setEnabled(caller, isEnabled)
  const ecr = (isMeant ? isEnabled : wasEnabled) ? ON : OFF
  return { accounts: [{ accountId: registryId, status: ecr, resourceStatus: { ec2: OFF, ecr, lambda: OFF } }] }
}
