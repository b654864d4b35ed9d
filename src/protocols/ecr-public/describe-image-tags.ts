import { pagingOf } from '../ecr/pages.ts'
import { repositoryRef } from '../ecr/references.ts'
import { imageFacts } from './image-facts.ts'
import type { PageInput, PublicOperation, RepositoryInput } from './operation.ts'

export const describeImageTags: PublicOperation<RepositoryInput & PageInput, object> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const { items, nextToken } = await call.publicRegistries.describeTags(call.principal, ref, pagingOf(input))
  const details = items.map(({ tag, setAt, image }) => ({
    imageTag: tag,
    createdAt: setAt,
    imageDetail: imageFacts(image),
  }))
  return { imageTagDetails: details, nextToken }
}
