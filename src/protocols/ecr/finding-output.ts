import type { EnhancedImageScanFinding, ImageScanFinding } from '@aws-sdk/client-ecr'
import type { Repository } from '../../domain/repository.ts'
import { nameIn } from '../../domain/scanning/finding-lists.ts'
import { enhancedFinding } from '../../services/scanning/enhanced-findings.ts'
import type { ImageFinding } from '../../services/scanning/scan-findings.ts'

/** ECR's ImageScanFinding, of basic scans. */
export function basicFindingOutput({ finding }: ImageFinding): ImageScanFinding {
  const score = finding.cvss[0]
  const cvss =
    score === undefined
      ? []
      : [
          { key: `CVSS${score.version[0]}_VECTOR`, value: score.vector },
          { key: `CVSS${score.version[0]}_SCORE`, value: String(score.baseScore) },
        ]
  return {
    name: finding.id,
    description: finding.description,
    uri: finding.url,
    severity: finding.severity === 'UNTRIAGED' ? 'UNDEFINED' : finding.severity,
    attributes: [
      { key: 'package_version', value: finding.installedVersion },
      { key: 'package_name', value: nameIn('BASIC', finding) },
      ...cvss,
    ],
  }
}

/** ECR's EnhancedImageScanFinding. */
export function enhancedFindingOutput(repository: Repository, found: ImageFinding): EnhancedImageScanFinding {
  const { score, resource, ...finding } = enhancedFinding(repository, found)
  const { image, ...where } = resource
  return {
    ...finding,
    score: score?.baseScore,
    scoreDetails: score && {
      cvss: {
        adjustments: [],
        score: score.baseScore,
        scoreSource: score.source,
        scoringVector: score.vector,
        version: score.version,
      },
    },
    resources: [{ ...where, details: { awsEcrContainerImage: image } }],
  }
}
