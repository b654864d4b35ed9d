import { storageFull, throttled } from '../../domain/errors.ts'

/** Whether a thrown thing is the operating system's error of one of these codes. */
export function isSystemError(thrown: unknown, ...codes: readonly string[]): boolean {
  return thrown instanceof Error && 'code' in thrown && codes.some((code) => code === thrown.code)
}

/**
 * What a failed call means: `storage-full` when there was no room left, `throttled` when so many clients are connected that
 * no file can be opened for now, otherwise the error itself.
 */
export function writeError(thrown: unknown): unknown {
  if (isSystemError(thrown, 'EMFILE', 'ENFILE')) return throttled(thrown)
  return isSystemError(thrown, 'ENOSPC', 'EDQUOT', 'EFBIG') ? storageFull(thrown) : thrown
}
