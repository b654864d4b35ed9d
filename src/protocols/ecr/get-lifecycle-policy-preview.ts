import { previewResultOutput, previewSummaryOutput } from './lifecycle-output.ts'
import type { EcrOperation } from './operation.ts'
import { pagingOf, refusePaging } from './pages.ts'
import { parseImageId, placeOf, repositoryRef } from './references.ts'

export const getLifecyclePolicyPreview: EcrOperation<'GetLifecyclePolicyPreview'> = async (input, call) => {
  const { imageIds, filter } = input
  const ref = repositoryRef(input, call)
  if (imageIds !== undefined) refusePaging(input, 'imageIds')
  const { preview, items, nextToken } = await call.lifecycle.getPreview(call.principal, ref, {
    tagStatus: filter?.tagStatus ?? 'ANY',
    ...(imageIds === undefined ? { paging: pagingOf(input) } : { imageIds: imageIds.map(parseImageId) }),
  })
  return {
    ...placeOf(ref),
    lifecyclePolicyText: preview.text,
    status: preview.status,
    previewResults: items.map(previewResultOutput),
    summary: preview.status === 'COMPLETE' ? previewSummaryOutput(preview.counts) : undefined,
    nextToken,
  }
}
