import type { EcrOperation } from './operation.ts'
import { pagingOf, refusePaging } from './pages.ts'
import { registryOf } from './references.ts'
import { templateOutput } from './template-output.ts'

/** A prefix that has no template is left out, not refused. */
export const describeRepositoryCreationTemplates: EcrOperation<'DescribeRepositoryCreationTemplates'> = async (
  input,
  call,
) => {
  const { principal, creationTemplates } = call
  const { prefixes } = input
  const registry = registryOf(undefined, call)
  const { registryId } = registry
  if (prefixes !== undefined && prefixes.length > 0) {
    refusePaging(input, 'prefixes')
    const templates = await creationTemplates.getMany(principal, registry, prefixes)
    return { registryId, repositoryCreationTemplates: templates.map(templateOutput) }
  }
  const page = await creationTemplates.list(principal, registry, pagingOf(input))
  return { registryId, repositoryCreationTemplates: page.items.map(templateOutput), nextToken: page.nextToken }
}
