import { accessDenied, invalidParameter } from '../../domain/errors.ts'
import { type InspectorCall, type InspectorOperation, registryOf } from './operation.ts'

interface AccountsInput {
  readonly accountIds?: readonly string[]
}
interface TypesInput extends AccountsInput {
  readonly resourceTypes?: readonly string[]
}

const ON = 'ENABLED'
const OFF = 'DISABLED'

/** Enhanced scanning is all of Inspector that is here. Of other accounts nothing is told. */
export const batchGetAccountStatus: InspectorOperation<'BatchGetAccountStatus', AccountsInput> = async (
  { accountIds },
  call,
) => {
  const { registryId, isEnabled } = await look(call, 'BatchGetAccountStatus')
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
export const enable: InspectorOperation<'Enable', TypesInput> = (input, call) => switchTo(true, input, call)

/** Switches enhanced scanning off: the registry is scanned by basic scans again. */
export const disable: InspectorOperation<'Disable', TypesInput> = (input, call) => switchTo(false, input, call)

async function switchTo(isEnabled: boolean, input: TypesInput, call: InspectorCall): Promise<object> {
  const action = isEnabled ? 'Enable' : 'Disable'
  const { registry, registryId } = await look(call, action)
  const { accountIds = [], resourceTypes = [] } = input
  const others = accountIds.filter((id) => id !== registryId)
  if (others.length > 0)
    throw accessDenied(call.principal.arn, `inspector2:${action}`, '*', 'because it is not for other accounts')
  const unknown = resourceTypes.filter((type) => type !== 'ECR')
  if (isEnabled && unknown.length > 0) throw invalidParameter('resourceTypes', 'Only ECR can be scanned here')
  if (isEnabled || resourceTypes.length === 0 || resourceTypes.includes('ECR'))
    await call.inspector.setEnabled(registry, isEnabled)
  const ecr = (await call.inspector.isEnabled(registry)) ? ON : OFF
  return { accounts: [{ accountId: registryId, status: ecr, resourceStatus: { ec2: OFF, ecr, lambda: OFF } }] }
}

async function look(call: InspectorCall, action: string) {
  const registry = registryOf(call)
  await call.inspector.authorize(call.principal, action, registry)
  return { registry, registryId: registry.registryId, isEnabled: await call.inspector.isEnabled(registry) }
}
