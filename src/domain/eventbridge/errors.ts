import { RegistryError } from '../registry-error.ts'

/** An event pattern that cannot be used: `reason` says where. */
export function eventPatternInvalid(reason: string): RegistryError {
  return new RegistryError('event-pattern-invalid', `Event pattern is not valid. Reason: ${reason}`)
}

/** What EventBridge calls a ValidationException, in its own sentence. */
export function eventInputInvalid(message: string): RegistryError {
  return new RegistryError('event-input-invalid', message)
}

export function eventRuleNotFound(name: string): RegistryError {
  return new RegistryError('event-rule-not-found', `Rule ${name} does not exist on EventBus default.`)
}

export function eventBusNotFound(name: string): RegistryError {
  return new RegistryError('event-rule-not-found', `Event bus ${name} does not exist.`)
}

export function eventLimitExceeded(message: string): RegistryError {
  return new RegistryError('event-limit-exceeded', message)
}
