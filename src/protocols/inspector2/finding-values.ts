import { inspectorOutput } from '../../services/scanning/enhanced-findings.ts'
import type { InspectorFinding } from '../../services/scanning/inspector.ts'
import type { Values } from './filters.ts'

/** What a finding has under the names of filters and of sort fields. */
export function findingValues({ finding }: InspectorFinding): Values {
  const { packageVulnerabilityDetails: details, resource, score } = finding
  const { image } = resource
  return {
    awsAccountId: finding.awsAccountId,
    ecrImageArchitecture: image.architecture,
    ecrImageHash: image.imageHash,
    ecrImagePushedAt: image.pushedAt,
    ecrImageRegistry: image.registry,
    ecrImageRepositoryName: image.repositoryName,
    ecrImageTags: image.imageTags,
    exploitAvailable: finding.exploitAvailable,
    findingArn: finding.findingArn,
    findingStatus: finding.status,
    findingType: finding.type,
    firstObservedAt: finding.firstObservedAt,
    fixAvailable: finding.fixAvailable,
    inspectorScore: score?.baseScore,
    lastObservedAt: finding.lastObservedAt,
    relatedVulnerabilities: details.relatedVulnerabilities,
    resourceId: resource.id,
    resourceType: resource.type,
    severity: finding.severity,
    title: finding.title,
    updatedAt: finding.updatedAt,
    vendorSeverity: details.vendorSeverity,
    vulnerabilityId: details.vulnerabilityId,
    vulnerabilitySource: details.source,
    vulnerablePackages: details.vulnerablePackages.map((found) => ({ ...found, architecture: found.arch })),
  }
}

/** Inspector's Finding. */
export function findingOutput({ finding }: InspectorFinding): object {
  return inspectorOutput(finding)
}
