import type { EcrOperation } from './operation.ts'
import { pagingOf } from './pages.ts'
import { parseImageId, repositoryRef } from './references.ts'

export const describeImageScanFindings: EcrOperation<'DescribeImageScanFindings'> = async (input, call) => {
  const imageId = parseImageId(input.imageId)
  return call.scanFindings.describe(call.principal, repositoryRef(input, call), imageId, pagingOf(input))
}
