import { RegistryError } from '../registry-error.ts'

export function alarmNotFound(names: readonly string[]): RegistryError {
  return new RegistryError('alarm-not-found', `Unknown: ${names.map((name) => name.slice(0, 255)).join(', ')}`)
}

export function metricParameterInvalid(message: string): RegistryError {
  return new RegistryError('metric-parameter-invalid', message)
}

export function metricParametersConflict(message: string): RegistryError {
  return new RegistryError('metric-parameters-conflict', message)
}

export function metricTokenInvalid(): RegistryError {
  return new RegistryError('metric-token-invalid', 'The token was not made by this operation.')
}

/** `data`: what was given as the reason of a state is no JSON. */
export function alarmDataInvalid(): RegistryError {
  return new RegistryError('alarm-data-invalid', 'StateReasonData is not a valid JSON')
}

export function alarmLimitExceeded(limit: number): RegistryError {
  return new RegistryError('alarm-limit-exceeded', `There are ${limit} alarms already`)
}

export function metricResourceNotFound(arn: string): RegistryError {
  return new RegistryError('metric-resource-not-found', `${arn.slice(0, 300)} does not exist`)
}

/** Something about an alarm cannot be, or is not done here, in a whole sentence. */
export function alarmInvalid(message: string): RegistryError {
  return new RegistryError('invalid-parameter', message)
}
