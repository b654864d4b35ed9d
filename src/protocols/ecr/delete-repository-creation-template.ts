import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { templateOutput } from './template-output.ts'

export const deleteRepositoryCreationTemplate: EcrOperation<'DeleteRepositoryCreationTemplate'> = async (
  { prefix },
  call,
) => {
  const registry = registryOf(undefined, call)
  const template = await call.creationTemplates.delete(call.principal, registry, prefix)
  return { registryId: registry.registryId, repositoryCreationTemplate: templateOutput(template) }
}
