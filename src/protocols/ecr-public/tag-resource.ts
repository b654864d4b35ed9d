import { parsePublicRepositoryArn } from '../../domain/public-registry.ts'
import type { PublicOperation } from './operation.ts'
import { resourceTags, type WireTag } from './resource-tags.ts'

interface Input {
  readonly resourceArn: string
  readonly tags: readonly WireTag[]
}

export const tagResource: PublicOperation<Input, object> = async ({ resourceArn, tags }, call) => {
  const ref = parsePublicRepositoryArn(resourceArn)
  await call.repositories.putTags(call.principal, ref, resourceTags(tags))
  return {}
}
