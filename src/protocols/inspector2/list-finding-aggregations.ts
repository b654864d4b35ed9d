import { invalidParameter } from '../../domain/errors.ts'
import { pageAfter, pageOf } from '../../services/paging.ts'
import type { InspectorFinding } from '../../services/scanning/inspector.ts'
import { type StringFilter, satisfies } from './filters.ts'
import type { AggregationRequest } from './inputs.ts'
import { callerOf, type InspectorOperation, numberIn } from './operation.ts'

/** One kind of aggregation: its member in requests and answers, and what findings are put together by. */
interface Aggregation {
  readonly member: string
  /** What a group says of itself. */
  group(found: InspectorFinding): Readonly<Record<string, unknown>>
  /** The filters of the request and what they are about. */
  readonly filters: Readonly<Record<string, (found: InspectorFinding) => string | readonly string[] | undefined>>
  /** Answers also count what can be fixed and what is exploited. */
  readonly countsFixes?: boolean
}

const image = ({ finding }: InspectorFinding) => finding.resource.image
const vulnerable = ({ finding }: InspectorFinding) => finding.packageVulnerabilityDetails.vulnerablePackages[0]
const ofImage: Aggregation['filters'] = {
  repositories: (found) => image(found).repositoryName,
  resourceIds: ({ finding }) => finding.resource.id,
}
const ofType: Aggregation['filters'] = {
  findingType: ({ finding }) => finding.type,
  resourceType: ({ finding }) => finding.resource.type,
}

const AGGREGATIONS: Readonly<Record<string, Aggregation>> = {
  ACCOUNT: { member: 'accountAggregation', group: () => ({}), filters: ofType, countsFixes: true },
  AWS_ECR_CONTAINER: {
    member: 'awsEcrContainerAggregation',
    group: (found) => ({
      resourceId: found.finding.resource.id,
      architecture: image(found).architecture,
      imageSha: image(found).imageHash,
      imageTags: image(found).imageTags,
      repository: image(found).repositoryName,
    }),
    filters: {
      ...ofImage,
      architectures: (found) => image(found).architecture,
      imageShas: (found) => image(found).imageHash,
      imageTags: (found) => image(found).imageTags,
    },
  },
  FINDING_TYPE: { member: 'findingTypeAggregation', group: () => ({}), filters: ofType, countsFixes: true },
  IMAGE_LAYER: {
    member: 'imageLayerAggregation',
    group: (found) => ({
      layerHash: vulnerable(found)?.sourceLayerHash,
      repository: image(found).repositoryName,
      resourceId: found.finding.resource.id,
    }),
    filters: { ...ofImage, layerHashes: (found) => vulnerable(found)?.sourceLayerHash },
  },
  PACKAGE: {
    member: 'packageAggregation',
    group: (found) => ({ packageName: vulnerable(found)?.name }),
    filters: { packageNames: (found) => vulnerable(found)?.name },
  },
  REPOSITORY: {
    member: 'repositoryAggregation',
    group: (found) => ({ repository: image(found).repositoryName }),
    filters: { repositories: ofImage.repositories ?? (() => undefined) },
  },
  TITLE: {
    member: 'titleAggregation',
    group: ({ finding }) => ({
      title: finding.title,
      vulnerabilityId: finding.packageVulnerabilityDetails.vulnerabilityId,
    }),
    filters: {
      ...ofType,
      titles: ({ finding }) => finding.title,
      vulnerabilityIds: ({ finding }) => finding.packageVulnerabilityDetails.vulnerabilityId,
    },
  },
}

interface Group {
  readonly facts: Readonly<Record<string, unknown>>
  readonly counts: { all: number; critical: number; high: number; medium: number }
  readonly images: Set<string>
  fixable: number
  exploitable: number
}

const PAGE_ITEMS = 100

/** What there are no resources of here (instances, functions) has no groups. Findings that do not count are left out. */
export const listFindingAggregations: InspectorOperation<'ListFindingAggregations'> = async (input, call) => {
  const caller = callerOf(call, 'ListFindingAggregations')
  const { registry } = caller
  const findings = await call.inspector.findings(caller)
  const { aggregationType, maxResults: limit = PAGE_ITEMS, accountIds = [] } = input
  const start = numberIn(pageAfter({ limit, token: input.nextToken }))
  const aggregation = AGGREGATIONS[aggregationType]
  if (aggregation === undefined || !satisfies({ accountIds }, { accountIds: registry.registryId }))
    return { aggregationType, responses: [] }
  const asked = Object.keys(input.aggregationRequest ?? {}).filter((member) => member !== aggregation.member)
  if (asked.length > 0) throw invalidParameter('aggregationRequest', `Member must be ${aggregation.member}`)
  const request = input.aggregationRequest?.[aggregation.member] ?? {}
  const groups = new Map<string, Group>()
  for await (const found of findings)
    if (found.finding.status === 'ACTIVE' && isAsked(aggregation, request, found)) count(groups, aggregation, found)
  const sorted = [...groups.values()].toSorted(
    (a, b) => (weight(b, request) - weight(a, request)) * (request.sortOrder === 'ASC' ? -1 : 1),
  )
  const rows = sorted.slice(start, start + limit + 1).map((group, index) => ({ group, position: start + index + 1 }))
  const page = pageOf(rows, limit, ({ position }) => String(position))
  const responses = page.items.map(({ group }) => ({
    [aggregation.member]: {
      accountId: registry.registryId,
      ...group.facts,
      severityCounts: group.counts,
      ...(aggregation.member === 'repositoryAggregation' ? { affectedImages: group.images.size } : {}),
      ...(aggregation.countsFixes === true
        ? { fixAvailableCount: group.fixable, exploitAvailableCount: group.exploitable }
        : {}),
    },
  }))
  return { aggregationType, responses, nextToken: page.nextToken }
}

function isAsked({ filters }: Aggregation, request: AggregationRequest, found: InspectorFinding): boolean {
  return Object.entries(filters).every(([name, read]) => {
    const filter = request[name]
    if (typeof filter === 'string') return read(found) === filter
    return satisfies({ value: filter as readonly StringFilter[] | undefined }, { value: read(found) })
  })
}

function count(groups: Map<string, Group>, { group }: Aggregation, found: InspectorFinding): void {
  const facts = group(found)
  const key = JSON.stringify(facts)
  const known = groups.get(key) ?? {
    facts,
    counts: { all: 0, critical: 0, high: 0, medium: 0 },
    images: new Set<string>(),
    fixable: 0,
    exploitable: 0,
  }
  groups.set(key, known)
  const { severity, fixAvailable, exploitAvailable, resource } = found.finding
  known.counts.all++
  if (severity === 'CRITICAL') known.counts.critical++
  if (severity === 'HIGH') known.counts.high++
  if (severity === 'MEDIUM') known.counts.medium++
  known.images.add(resource.id)
  if (fixAvailable === 'YES') known.fixable++
  if (exploitAvailable === 'YES') known.exploitable++
}

function weight({ counts, images }: Group, { sortBy = 'CRITICAL' }: AggregationRequest): number {
  if (sortBy === 'AFFECTED_IMAGES') return images.size
  if (sortBy === 'ALL') return counts.all
  return sortBy === 'HIGH' ? counts.high : counts.critical
}
