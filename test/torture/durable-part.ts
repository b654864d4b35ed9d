import type { Operation } from './operation.ts'

/** Answers after which a change is promised to survive a power loss. */
const CHANGES = new Set([
  'create-repository',
  'delete-repository',
  'put-mutability',
  'complete',
  'mount',
  'delete-blob',
  'put-image',
  'archive',
  'restore',
  'delete-tag',
  'delete-image',
  'batch-delete',
])

/**
 * What of a history a power loss must leave. What somebody has read, or was refused because of, may have been a change
 * that nobody was promised yet, and is gone with it; so is the beginning of an upload.
 */
export function durablePart(history: readonly Operation[]): readonly Operation[] {
  return history.flatMap((operation) => {
    const { call, outcome, upload } = operation
    const isPromised =
      CHANGES.has(call.kind) && (outcome === 'ok' || outcome?.startsWith('deleted ') || outcome === 'layer-exists')
    if (isPromised || outcome === undefined) return [operation]
    const isRelaxed = upload !== undefined || (call.kind === 'cancel' && outcome === 'ok')
    return isRelaxed ? [{ ...operation, outcome: undefined, returnedAt: Infinity }] : []
  })
}
