import { type ErrorCode, isRegistryError } from '../domain/errors.ts'
import type { ReplicationFailure } from '../domain/replication/replication.ts'

/** What does not pass by itself: somebody has to change something, and to push again or ask for another attempt. */
const FINAL: readonly ErrorCode[] = [
  'access-denied',
  'upstream-denied',
  'image-digest-mismatch',
  'invalid-parameter',
  'kms-key-unusable',
  'limit-exceeded',
  'manifest-invalid',
  'manifest-too-large',
  'repository-name-invalid',
  'repository-not-found',
  'tag-invalid',
  'unsupported',
]

/** Whether another attempt would fail for the same. */
export function isFinal(error: Error): boolean {
  return isRegistryError(error, ...FINAL)
}

/** Whether nothing else can be copied to the same destination now either. */
export function isUnreachable(error: Error): boolean {
  return isRegistryError(error, 'upstream-unavailable', 'upstream-rate-limited')
}

/** What DescribeImageReplicationStatus and events say of a failure; of a fault of our own no more than that it is one. */
export function failureOf(error: Error): ReplicationFailure {
  if (!isRegistryError(error)) {
    const reason = 'The registry failed to copy the image. Its log has the details.'
    return { code: 'InternalFailure', reason }
  }
  if (error.code === 'upstream-denied') return { code: 'AccessDenied', reason: error.message }
  const code = error.code.replaceAll(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())
  return { code, reason: error.message }
}
