import { invalidParameter } from './errors.ts'
import { isRegion, isRegistryId, isRepositoryName, type Registry, type RepositoryRef } from './names.ts'
import { isPublic, publicRepositoryArn } from './public-registry.ts'

const REPOSITORY_ARN = /^arn:(aws[a-z-]*):ecr:([^:]*):([^:]*):repository\/(.+)$/

/** The partition that a region belongs to, by AWS's naming of regions. */
export function partitionOf(region: string): string {
  if (region.startsWith('cn-')) return 'aws-cn'
  if (region.startsWith('us-gov-')) return 'aws-us-gov'
  if (region.startsWith('us-iso-')) return 'aws-iso'
  if (region.startsWith('us-isob-')) return 'aws-iso-b'
  if (region.startsWith('eusc-')) return 'aws-eusc'
  return 'aws'
}

/** `arn:aws:ecr:R:A:repository/N`, or what ECR Public writes. */
export function repositoryArn(ref: RepositoryRef): string {
  const { registry, name } = ref
  if (isPublic(registry)) return publicRepositoryArn(ref)
  return `arn:${partitionOf(registry.region)}:ecr:${registry.region}:${registry.registryId}:repository/${name}`
}

/** `arn:aws:iam::A:root`, the account itself as a principal. */
export function accountRootArn({ registryId, region }: Registry): string {
  return `arn:${partitionOf(region)}:iam::${registryId}:root`
}

/** Parses a repository's ARN. Throws `invalid-parameter` in ECR's words. */
export function parseRepositoryArn(text: string): RepositoryRef {
  const [, partition, region = '', account = '', name = ''] = REPOSITORY_ARN.exec(text) ?? []
  if (!isRegion(region) || !isRegistryId(account) || !isRepositoryName(name) || partition !== partitionOf(region))
    throw invalidParameter('resourceArn', 'Invalid ARN')
  return { registry: { registryId: account, region }, name }
}
