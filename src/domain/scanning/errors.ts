import { RegistryError } from '../registry-error.ts'

/** The image, or the registry, has had its scans for the day. */
export function scanQuotaExceeded(): RegistryError {
  return new RegistryError('limit-exceeded', 'The scan quota per image has been exceeded. Wait and try again.')
}

/** No container image: a signature, a chart, a document. */
export function imageTypeUnsupported(): RegistryError {
  return new RegistryError('image-type-unsupported', 'The image type is not supported for scanning')
}

/** Under enhanced scanning nobody begins scans by hand. */
export function scanningDisabled(): RegistryError {
  return new RegistryError('scan-refused', 'This feature is disabled')
}
