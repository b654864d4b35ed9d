import type { CloudWatchOperation } from './operation.ts'

export const deleteAlarms: CloudWatchOperation<'DeleteAlarms'> = async (input, call) => {
  await call.alarms.delete(call, input.AlarmNames)
  return {}
}
