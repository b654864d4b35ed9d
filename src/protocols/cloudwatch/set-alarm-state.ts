import type { CloudWatchOperation } from './operation.ts'

export const setAlarmState: CloudWatchOperation<'SetAlarmState'> = async (input, call) => {
  await call.alarms.setState(call, input.AlarmName, input.StateValue, input.StateReason, input.StateReasonData)
  return {}
}
