import type { Digest } from '../domain/digest.ts'
import type { InventoryLimits } from '../domain/inventory/limits.ts'
import type { MergedLayers } from '../domain/inventory/merge.ts'
import type { FileKind } from '../domain/inventory/selection.ts'
import type { ErrorCode } from '../domain/registry-error.ts'

/** What a worker is told. One task at a time; `piece` and `end` belong to the analysis that was begun. */
export type TaskMessage =
  | {
      readonly type: 'analyse'
      readonly mediaType: string
      readonly limits: InventoryLimits
      readonly wanted: ReadonlyMap<string, FileKind>
    }
  | { readonly type: 'piece'; readonly bytes: Uint8Array }
  | { readonly type: 'end' }
  | {
      readonly type: 'merge'
      readonly layers: readonly { readonly digest: Digest; readonly facts: Uint8Array }[]
      readonly analyserVersion: number
    }

/** What a worker answers. */
export type WorkerMessage =
  /** It has taken a piece and has room for another one. */
  | { readonly type: 'taken' }
  | { readonly type: 'analysed'; readonly facts: Uint8Array }
  | { readonly type: 'merged'; readonly merged: MergedLayers }
  /** With a code: the task's own failure. Without one: a bug. */
  | { readonly type: 'failed'; readonly code?: ErrorCode; readonly message: string }

/** How many pieces may be under way to a worker. */
export const PIECES_UNDER_WAY = 4
