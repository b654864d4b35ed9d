import type { ImageScanFindings } from '@aws-sdk/client-ecr'
import type { ScanView } from '../../services/scanning/scan-findings.ts'
import { basicFindingOutput, enhancedFindingOutput } from './finding-output.ts'
import type { EcrOperation } from './operation.ts'
import { pagingOf } from './pages.ts'
import { parseImageId, placeOf, repositoryRef, wireImageId } from './references.ts'

export const describeImageScanFindings: EcrOperation<'DescribeImageScanFindings'> = async (input, call) => {
  const imageId = parseImageId(input.imageId)
  const ref = repositoryRef(input, call)
  const view = await call.scanFindings.describe(call.principal, ref, imageId, pagingOf(input))
  return {
    ...placeOf(ref),
    imageId: wireImageId({ digest: view.image.digest, tag: imageId.tag }),
    imageScanStatus: view.state,
    imageScanFindings: findingsOutput(view),
    nextToken: view.result?.nextToken,
  }
}

function findingsOutput({ type, repository, result }: ScanView): ImageScanFindings | undefined {
  if (result === undefined) return undefined
  const { completedAt, sourceUpdatedAt, counts, findings } = result
  return {
    imageScanCompletedAt: completedAt,
    vulnerabilitySourceUpdatedAt: sourceUpdatedAt,
    findingSeverityCounts: { ...counts },
    ...(type === 'BASIC'
      ? { findings: findings.map(basicFindingOutput) }
      : { enhancedFindings: findings.map((found) => enhancedFindingOutput(repository, found)) }),
  }
}
