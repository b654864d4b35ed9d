import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { templateOutput, templateSettings } from './template-output.ts'

export const updateRepositoryCreationTemplate: EcrOperation<'UpdateRepositoryCreationTemplate'> = async (
  input,
  call,
) => {
  const registry = registryOf(undefined, call)
  const { principal, creationTemplates } = call
  const template = await creationTemplates.update(principal, registry, input.prefix, templateSettings(input))
  return { registryId: registry.registryId, repositoryCreationTemplate: templateOutput(template) }
}
