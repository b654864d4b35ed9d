import { isRegion, isRegistryId, isTag, type Registry, type Tag } from '../names.ts'

/** Says of a push that it is a copy, and from which registry. */
export const REPLICATED_FROM = 'ecru-replicated-from'

/** Names, in the answer to such a push, the tags that the image had to come without. */
export const DROPPED_TAGS = 'ecru-dropped-tags'

/** The registry from which a copy comes, as the header `Ecru-Replicated-From` says it. */
export function printSource({ registryId, region }: Registry): string {
  return `${registryId}/${region}`
}

/** `undefined`: no registry is named. */
export function readSource(header: string | null): Registry | undefined {
  const [registryId = '', region = '', ...rest] = header?.split('/') ?? []
  return isRegistryId(registryId) && isRegion(region) && rest.length === 0 ? { registryId, region } : undefined
}

/** The tags without which a copy arrived. What is no tag is passed over. */
export function readDroppedTags(header: string | undefined): readonly Tag[] {
  return (header ?? '')
    .split(',')
    .map((tag) => tag.trim())
    .filter(isTag)
}
