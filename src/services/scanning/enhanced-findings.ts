import { createHash } from 'node:crypto'
import type { Finding } from '../../domain/advisories/finding.ts'
import { databaseOf } from '../../domain/advisories/trackers.ts'
import { partitionOf, repositoryArn } from '../../domain/arn.ts'
import type { TaggedImage } from '../../domain/image.ts'
import { type FoundPackage, isOsPackageType, type PackageType } from '../../domain/inventory/package.ts'
import type { Registry } from '../../domain/names.ts'
import type { Repository } from '../../domain/repository.ts'
import type { ObservedFinding, Scan } from '../../domain/scanning/scan.ts'

/** A finding in an image, and of its scan what is shown with it. */
interface ShownFinding {
  readonly finding: ObservedFinding
  readonly image: TaggedImage
  readonly scan: Pick<Scan, 'completedAt' | 'platform' | 'architecture'>
}

/** What ECR and Inspector say alike of a finding of an enhanced scan. */
export function enhancedFinding(repository: Repository, { finding, image, scan }: ShownFinding) {
  const { registry } = repository
  const score = finding.cvss.find(({ version }) => version.startsWith('3'))
  return {
    awsAccountId: registry.registryId,
    description: finding.description || finding.title || finding.id,
    findingArn: findingArn(repository, image.digest, finding),
    firstObservedAt: finding.firstObservedAt,
    lastObservedAt: scan.completedAt ?? finding.firstObservedAt,
    updatedAt: finding.changedAt,
    severity: finding.enhancedSeverity === 'UNDEFINED' ? 'UNTRIAGED' : finding.enhancedSeverity,
    status: statusOf(finding),
    title: `${finding.id} - ${finding.package.name}`.slice(0, TITLE_CHARS_MAX),
    type: 'PACKAGE_VULNERABILITY',
    score,
    fixAvailable: finding.fixedVersions.length > 0 ? 'YES' : 'NO',
    exploitAvailable: finding.isExploitAvailable ? 'YES' : 'NO',
    packageVulnerabilityDetails: {
      cvss: finding.cvss.map(({ version, vector, baseScore, source }) => ({
        baseScore,
        scoringVector: vector,
        source,
        version,
      })),
      referenceUrls: finding.references.map(({ url }) => url).slice(0, REFERENCES_MAX),
      relatedVulnerabilities: [...finding.aliases].slice(0, RELATED_MAX),
      source: sourceOf(finding),
      sourceUrl: finding.url,
      vendorCreatedAt: finding.publishedAt,
      vendorSeverity: finding.vendorSeverity,
      vendorUpdatedAt: finding.modifiedAt,
      vulnerabilityId: finding.id,
      vulnerablePackages: [vulnerablePackage(finding)],
    },
    remediation: { recommendation: { text: 'None Provided' } },
    resource: {
      id: `${repositoryArn(repository)}/${image.digest}`,
      tags: {},
      type: 'AWS_ECR_CONTAINER_IMAGE' as const,
      image: {
        architecture: scan.architecture,
        imageHash: image.digest,
        imageTags: [...image.tags],
        platform: scan.platform,
        pushedAt: image.pushedAt,
        registry: registry.registryId,
        repositoryName: repository.name,
      },
    },
  }
}

/** Inspector's Finding. */
export function inspectorOutput({ score, resource, ...rest }: ReturnType<typeof enhancedFinding>) {
  const { image, ...where } = resource
  return {
    ...rest,
    inspectorScore: score?.baseScore,
    inspectorScoreDetails: score && {
      adjustedCvss: {
        adjustments: [],
        cvssSource: score.source,
        score: score.baseScore,
        scoreSource: score.source,
        scoringVector: score.vector,
        version: score.version,
      },
    },
    resources: [{ ...where, details: { awsEcrContainerImage: image } }],
  }
}

/** The same as it stands in events, where all is JSON. */
export function inspectorDetail(finding: ReturnType<typeof enhancedFinding>, { region }: Registry): InspectorDetail {
  const { resources, ...rest } = inspectorOutput(finding)
  const placed = resources.map((resource) => ({ ...resource, partition: partitionOf(region), region }))
  return JSON.parse(JSON.stringify({ ...rest, resources: placed })) as InspectorDetail
}

interface InspectorDetail {
  readonly resources: readonly { readonly id: string }[]
}

const TITLE_CHARS_MAX = 1024
const REFERENCES_MAX = 100
const RELATED_MAX = 100

type FindingStatus = 'ACTIVE' | 'SUPPRESSED' | 'CLOSED'

/** Whether it counts. */
export function statusOf({ status }: Pick<Finding, 'status'>): FindingStatus {
  return status.kind === 'active' ? 'ACTIVE' : 'SUPPRESSED'
}

/** The same flaw in the same package of the same image has the same ARN, whenever it is found. */
function findingArn({ registry, name }: Repository, digest: string, finding: Finding): string {
  const { type, name: packageName, filePath, arch } = finding.package
  const found = [type, packageName, finding.installedVersion, filePath, arch]
  const identity = JSON.stringify([name, digest, finding.id, ...found])
  const id = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  return `arn:${partitionOf(registry.region)}:inspector2:${registry.region}:${registry.registryId}:finding/${id}`
}

/** `DEBIAN_CVE`, `GITHUB`, … */
function sourceOf({ advisories, package: found }: Finding): string {
  const [advisory] = advisories
  const database = advisory === undefined ? 'NVD' : databaseOf(advisory.id)
  if (database === 'GHSA') return 'GITHUB'
  return isOsPackageType(found.type) && database !== 'NVD' ? `${database.replace(/-CVE$/, '')}_CVE` : database
}

function vulnerablePackage({ package: found, fixedVersions }: Finding) {
  const { version, release } = versionParts(found)
  return {
    arch: isOsPackageType(found.type) ? architectureOf(found) : undefined,
    epoch: found.epoch ?? 0,
    filePath: found.filePath,
    fixedInVersion: fixedVersions[0] ?? 'NotAvailable',
    name: found.name,
    packageManager: MANAGERS[found.type],
    release,
    sourceLayerHash: found.layerDigest,
    version,
  }
}

const MANAGERS: Readonly<Record<PackageType, string>> = {
  deb: 'OS',
  apk: 'OS',
  rpm: 'OS',
  npm: 'NODEPKG',
  pypi: 'PYTHONPKG',
  golang: 'GOBINARY',
  maven: 'JAR',
  gem: 'GEMSPEC',
  cargo: 'CARGO',
  composer: 'COMPOSER',
  nuget: 'DOTNET_CORE',
  // Inspector has no word for it.
  bitnami: 'OS',
}

/** Versions of distributions end in a release, behind the last dash. */
function versionParts({ type, version, epoch }: FoundPackage): { version: string; release?: string } {
  if (!isOsPackageType(type)) return { version }
  const bare = epoch === undefined ? version : version.replace(/^\d+:/, '')
  const dash = bare.lastIndexOf('-')
  return dash < 0 ? { version: bare } : { version: bare.slice(0, dash), release: bare.slice(dash + 1) }
}

function architectureOf({ arch }: FoundPackage): string | undefined {
  if (arch === undefined || arch === 'all' || arch === 'noarch') return undefined
  return (arch === 'x86_64' ? 'amd64' : arch === 'aarch64' ? 'arm64' : arch).toUpperCase()
}
