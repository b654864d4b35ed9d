import { RegistryError } from '../registry-error.ts'

/** The layer is cut off, damaged, or no archive. `reason`: half a sentence. */
export function layerUnreadable(reason: string, options?: ErrorOptions): RegistryError {
  return new RegistryError('layer-unreadable', `The layer cannot be read: ${reason}`, {}, options)
}

/** The layer is more than an inventory reads: made to do harm, or far beyond what images hold. */
export function layerTooLarge(reason: string): RegistryError {
  return new RegistryError('layer-too-large', `The layer exceeds what is analysed: ${reason}`)
}

export function layerTypeUnsupported(mediaType: string): RegistryError {
  return new RegistryError('layer-type-unsupported', `Layers of the media type '${mediaType}' cannot be analysed`)
}

/** A package database that decides what is installed cannot be read: nothing may be concluded from the rest. */
export function databaseUnreadable(path: string, reason: string): RegistryError {
  return new RegistryError('layer-unreadable', `The package database ${path} cannot be read: ${reason}`)
}

export function analysisTimedOut(reason: string): RegistryError {
  return new RegistryError('analysis-timed-out', `The analysis was given up: ${reason}`)
}

/** The worker ended while it had the layer. */
export function analysisCrashed(): RegistryError {
  return new RegistryError('analysis-crashed', 'The analysis broke off: its worker ended unexpectedly')
}
