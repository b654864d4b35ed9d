import type { RepositoryCreationTemplate as WireTemplate } from '@aws-sdk/client-ecr'
import type { CreationTemplate } from '../../domain/creation-template.ts'
import { invalidParameter } from '../../domain/errors.ts'
import type { TemplateSettings } from '../../services/repositories/creation-templates.ts'
import type { EcrInput } from './operation.ts'
import { mutabilityOutput } from './repository-output.ts'
import { resourceTags, wireTags } from './resource-tags.ts'

/** What an input says of a template. */
export function templateSettings(input: EcrInput<'UpdateRepositoryCreationTemplate'>): TemplateSettings {
  const { encryptionConfiguration: encryption } = input
  // An empty key is how clients say that there is none.
  if (encryption?.encryptionType === 'AES256' && encryption.kmsKey)
    throw invalidParameter('encryptionConfiguration.kmsKey', 'Member must not be given with encryptionType AES256')
  return {
    appliedFor: input.appliedFor,
    description: input.description,
    mutabilityMode: input.imageTagMutability,
    exclusionFilters: input.imageTagMutabilityExclusionFilters?.map(({ filter }) => filter),
    encryption: encryption && { type: encryption.encryptionType, kmsKey: encryption.kmsKey || undefined },
    repositoryPolicy: input.repositoryPolicy,
    lifecyclePolicy: input.lifecyclePolicy,
    resourceTags: input.resourceTags === undefined ? undefined : resourceTags(input.resourceTags),
    customRoleArn: input.customRoleArn,
  }
}

/** ECR's RepositoryCreationTemplate. */
export function templateOutput(template: CreationTemplate): WireTemplate {
  return {
    prefix: template.prefix,
    description: template.description,
    encryptionConfiguration: { encryptionType: template.encryption.type, kmsKey: template.encryption.kmsKey },
    resourceTags: wireTags(template.resourceTags),
    ...mutabilityOutput(template.mutability),
    repositoryPolicy: template.repositoryPolicy,
    lifecyclePolicy: template.lifecyclePolicy,
    appliedFor: [...template.appliedFor],
    customRoleArn: template.customRoleArn,
    createdAt: template.createdAt,
    updatedAt: template.updatedAt,
  }
}
