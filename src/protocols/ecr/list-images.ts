import { imageFilter } from './image-filter.ts'
import type { EcrOperation } from './operation.ts'
import { pagingOf } from './pages.ts'
import { repositoryRef, wireImageId } from './references.ts'

export const listImages: EcrOperation<'ListImages'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const page = await call.imageLists.listIds(call.principal, ref, imageFilter(input.filter), pagingOf(input))
  return { imageIds: page.items.map(wireImageId), nextToken: page.nextToken }
}
