import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'

export const describeRegistry: EcrOperation<'DescribeRegistry'> = async (_input, call) => {
  const registry = registryOf(undefined, call)
  await call.access.authorize(call.principal, 'ecr:DescribeRegistry', registry)
  return { registryId: registry.registryId, replicationConfiguration: { rules: [] } }
}
