import type { Digest } from '../digest.ts'
import type { Tag } from '../names.ts'

/** Which deletions are made elsewhere, too: none, those that somebody asked for, or also those by lifecycle policies. */
export const REPLICATED_DELETIONS = ['off', 'asked', 'all'] as const
export type ReplicatedDeletions = (typeof REPLICATED_DELETIONS)[number]

/** Why an image goes: somebody asked for it, or a lifecycle policy let it expire. */
export type DeletionOccasion = 'asked' | 'expired'

/** What a registry no longer has that was replicated from it: tags, and an image. */
export interface Gone {
  readonly digest?: Digest | undefined
  readonly tags: readonly Tag[]
}
