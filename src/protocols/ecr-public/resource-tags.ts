import type { ResourceTag } from '../../domain/repository.ts'

/** A tag of ECR Public's inputs, whose model needs neither of its halves. */
export interface WireTag {
  readonly Key?: string | undefined
  readonly Value?: string | undefined
}

/** What is missing is empty: good for a value, and refused for a key where tags are checked. */
export function resourceTags(tags: readonly WireTag[]): readonly ResourceTag[] {
  return tags.map(({ Key: key = '', Value: value = '' }) => ({ key, value }))
}
