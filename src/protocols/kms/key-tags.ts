import type { Tag } from '@aws-sdk/client-kms'
import type { ResourceTag } from '../../domain/repository.ts'
import type { Given } from '../aws/given.ts'

export function tagsOf(tags: readonly Given<Tag>[]): readonly ResourceTag[] {
  return tags.map(({ TagKey, TagValue }) => ({ key: TagKey, value: TagValue }))
}

export function wireTags(tags: readonly ResourceTag[]): Tag[] {
  return tags.map(({ key, value }) => ({ TagKey: key, TagValue: value }))
}
