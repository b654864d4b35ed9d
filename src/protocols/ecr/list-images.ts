import { showsActive } from './image-filter.ts'
import type { EcrOperation } from './operation.ts'
import { pagingOf } from './pages.ts'
import { repositoryRef, wireImageId } from './references.ts'

export const listImages: EcrOperation<'ListImages'> = async (input, call) => {
  const { filter = {} } = input
  const ref = repositoryRef(input, call)
  const page = await call.imageLists.listIds(call.principal, ref, filter.tagStatus ?? 'ANY', pagingOf(input))
  if (!showsActive(filter)) return { imageIds: [] }
  return { imageIds: page.items.map(wireImageId), nextToken: page.nextToken }
}
