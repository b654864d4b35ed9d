import type { EcrOperation } from './operation.ts'
import { registryOf } from './references.ts'
import { templateOutput, templateSettings } from './template-output.ts'

export const createRepositoryCreationTemplate: EcrOperation<'CreateRepositoryCreationTemplate'> = async (
  input,
  call,
) => {
  const registry = registryOf(undefined, call)
  const { principal, creationTemplates } = call
  const template = await creationTemplates.create(principal, registry, input.prefix, templateSettings(input))
  return { registryId: registry.registryId, repositoryCreationTemplate: templateOutput(template) }
}
