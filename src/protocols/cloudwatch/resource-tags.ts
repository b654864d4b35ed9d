import type { CloudWatchOperation } from './operation.ts'

export const listTagsForResource: CloudWatchOperation<'ListTagsForResource'> = async (input, call) => {
  const tags = await call.alarms.listTags(call, input.ResourceARN)
  return { Tags: tags.map(({ key: Key, value: Value }) => ({ Key, Value })) }
}

export const tagResource: CloudWatchOperation<'TagResource'> = async (input, call) => {
  const tags = input.Tags.map(({ Key: key, Value: value }) => ({ key, value }))
  await call.alarms.changeTags(call, input.ResourceARN, tags, [])
  return {}
}

export const untagResource: CloudWatchOperation<'UntagResource'> = async (input, call) => {
  await call.alarms.changeTags(call, input.ResourceARN, [], input.TagKeys)
  return {}
}
