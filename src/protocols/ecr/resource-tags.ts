import { parseRepositoryArn } from '../../domain/arn.ts'
import { invalidParameter } from '../../domain/errors.ts'
import type { RepositoryRef } from '../../domain/names.ts'
import type { ResourceTag } from '../../domain/repository.ts'
import type { AwsCall } from '../aws/context.ts'

interface WireTag {
  readonly Key: string
  readonly Value: string
}

export function resourceTags(tags: readonly WireTag[]): readonly ResourceTag[] {
  return tags.map(({ Key: key, Value: value }) => ({ key, value }))
}

export function wireTags(tags: readonly ResourceTag[]): WireTag[] {
  return tags.map(({ key, value }) => ({ Key: key, Value: value }))
}

/** The repository behind an ARN. An endpoint knows the resources of its own region only. Throws `invalid-parameter`. */
export function taggedRepository(resourceArn: string, { region }: AwsCall): RepositoryRef {
  const ref = parseRepositoryArn(resourceArn)
  if (ref.registry.region !== region) throw invalidParameter('resourceArn', 'Invalid ARN')
  return ref
}
