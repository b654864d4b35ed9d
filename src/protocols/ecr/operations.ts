import ecrModel from '../../../models/ecr.json' with { type: 'json' }
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { batchCheckLayerAvailability } from './batch-check-layer-availability.ts'
import { batchDeleteImage } from './batch-delete-image.ts'
import { batchGetImage } from './batch-get-image.ts'
import { batchGetRepositoryScanningConfiguration } from './batch-get-repository-scanning-configuration.ts'
import { completeLayerUpload } from './complete-layer-upload.ts'
import { createPullThroughCacheRule } from './create-pull-through-cache-rule.ts'
import { createRepository } from './create-repository.ts'
import { createRepositoryCreationTemplate } from './create-repository-creation-template.ts'
import { deleteLifecyclePolicy } from './delete-lifecycle-policy.ts'
import { deletePullThroughCacheRule } from './delete-pull-through-cache-rule.ts'
import { deleteRegistryPolicy } from './delete-registry-policy.ts'
import { deleteRepository } from './delete-repository.ts'
import { deleteRepositoryCreationTemplate } from './delete-repository-creation-template.ts'
import { deleteRepositoryPolicy } from './delete-repository-policy.ts'
import { deleteSigningConfiguration } from './delete-signing-configuration.ts'
import { deregisterPullTimeUpdateExclusion } from './deregister-pull-time-update-exclusion.ts'
import { describeImageReplicationStatus } from './describe-image-replication-status.ts'
import { describeImageScanFindings } from './describe-image-scan-findings.ts'
import { describeImageSigningStatus } from './describe-image-signing-status.ts'
import { describeImages } from './describe-images.ts'
import { describePullThroughCacheRules } from './describe-pull-through-cache-rules.ts'
import { describeRegistry } from './describe-registry.ts'
import { describeRepositories } from './describe-repositories.ts'
import { describeRepositoryCreationTemplates } from './describe-repository-creation-templates.ts'
import { errorMembers } from './error-members.ts'
import { getAccountSetting } from './get-account-setting.ts'
import { getAuthorizationToken } from './get-authorization-token.ts'
import { getDownloadUrlForLayer } from './get-download-url-for-layer.ts'
import { getLifecyclePolicy } from './get-lifecycle-policy.ts'
import { getLifecyclePolicyPreview } from './get-lifecycle-policy-preview.ts'
import { getRegistryPolicy } from './get-registry-policy.ts'
import { getRegistryScanningConfiguration } from './get-registry-scanning-configuration.ts'
import { getRepositoryPolicy } from './get-repository-policy.ts'
import { getSigningConfiguration } from './get-signing-configuration.ts'
import { initiateLayerUpload } from './initiate-layer-upload.ts'
import { listImageReferrers } from './list-image-referrers.ts'
import { listImages } from './list-images.ts'
import { listPullTimeUpdateExclusions } from './list-pull-time-update-exclusions.ts'
import { listTagsForResource } from './list-tags-for-resource.ts'
import type { EcrOperation, EcrOperationName, EcrServices } from './operation.ts'
import { putAccountSetting } from './put-account-setting.ts'
import { putImage } from './put-image.ts'
import { putImageScanningConfiguration } from './put-image-scanning-configuration.ts'
import { putImageTagMutability } from './put-image-tag-mutability.ts'
import { putLifecyclePolicy } from './put-lifecycle-policy.ts'
import { putRegistryPolicy } from './put-registry-policy.ts'
import { putRegistryScanningConfiguration } from './put-registry-scanning-configuration.ts'
import { putReplicationConfiguration } from './put-replication-configuration.ts'
import { putSigningConfiguration } from './put-signing-configuration.ts'
import { registerPullTimeUpdateExclusion } from './register-pull-time-update-exclusion.ts'
import { setRepositoryPolicy } from './set-repository-policy.ts'
import { startImageScan } from './start-image-scan.ts'
import { startLifecyclePolicyPreview } from './start-lifecycle-policy-preview.ts'
import { tagResource } from './tag-resource.ts'
import { untagResource } from './untag-resource.ts'
import { updateImageStorageClass } from './update-image-storage-class.ts'
import { updatePullThroughCacheRule } from './update-pull-through-cache-rule.ts'
import { updateRepositoryCreationTemplate } from './update-repository-creation-template.ts'
import { uploadLayerPart } from './upload-layer-part.ts'
import { validatePullThroughCacheRule } from './validate-pull-through-cache-rule.ts'

type Operations = Partial<{ readonly [Name in EcrOperationName]: EcrOperation<Name> }>

const OPERATIONS = {
  BatchCheckLayerAvailability: batchCheckLayerAvailability,
  BatchDeleteImage: batchDeleteImage,
  BatchGetImage: batchGetImage,
  BatchGetRepositoryScanningConfiguration: batchGetRepositoryScanningConfiguration,
  CompleteLayerUpload: completeLayerUpload,
  CreatePullThroughCacheRule: createPullThroughCacheRule,
  CreateRepository: createRepository,
  CreateRepositoryCreationTemplate: createRepositoryCreationTemplate,
  DeleteLifecyclePolicy: deleteLifecyclePolicy,
  DeletePullThroughCacheRule: deletePullThroughCacheRule,
  DeleteRegistryPolicy: deleteRegistryPolicy,
  DeleteRepository: deleteRepository,
  DeleteRepositoryCreationTemplate: deleteRepositoryCreationTemplate,
  DeleteRepositoryPolicy: deleteRepositoryPolicy,
  DeleteSigningConfiguration: deleteSigningConfiguration,
  DeregisterPullTimeUpdateExclusion: deregisterPullTimeUpdateExclusion,
  DescribeImageReplicationStatus: describeImageReplicationStatus,
  DescribeImageScanFindings: describeImageScanFindings,
  DescribeImageSigningStatus: describeImageSigningStatus,
  DescribeImages: describeImages,
  DescribePullThroughCacheRules: describePullThroughCacheRules,
  DescribeRegistry: describeRegistry,
  DescribeRepositories: describeRepositories,
  DescribeRepositoryCreationTemplates: describeRepositoryCreationTemplates,
  GetAccountSetting: getAccountSetting,
  GetAuthorizationToken: getAuthorizationToken,
  GetDownloadUrlForLayer: getDownloadUrlForLayer,
  GetLifecyclePolicy: getLifecyclePolicy,
  GetLifecyclePolicyPreview: getLifecyclePolicyPreview,
  GetRegistryPolicy: getRegistryPolicy,
  GetRegistryScanningConfiguration: getRegistryScanningConfiguration,
  GetRepositoryPolicy: getRepositoryPolicy,
  GetSigningConfiguration: getSigningConfiguration,
  InitiateLayerUpload: initiateLayerUpload,
  ListImageReferrers: listImageReferrers,
  ListImages: listImages,
  ListPullTimeUpdateExclusions: listPullTimeUpdateExclusions,
  ListTagsForResource: listTagsForResource,
  PutAccountSetting: putAccountSetting,
  PutImage: putImage,
  PutImageScanningConfiguration: putImageScanningConfiguration,
  PutImageTagMutability: putImageTagMutability,
  PutLifecyclePolicy: putLifecyclePolicy,
  PutRegistryPolicy: putRegistryPolicy,
  PutRegistryScanningConfiguration: putRegistryScanningConfiguration,
  PutReplicationConfiguration: putReplicationConfiguration,
  PutSigningConfiguration: putSigningConfiguration,
  RegisterPullTimeUpdateExclusion: registerPullTimeUpdateExclusion,
  SetRepositoryPolicy: setRepositoryPolicy,
  StartImageScan: startImageScan,
  StartLifecyclePolicyPreview: startLifecyclePolicyPreview,
  TagResource: tagResource,
  UntagResource: untagResource,
  UpdateImageStorageClass: updateImageStorageClass,
  UpdatePullThroughCacheRule: updatePullThroughCacheRule,
  UpdateRepositoryCreationTemplate: updateRepositoryCreationTemplate,
  UploadLayerPart: uploadLayerPart,
  ValidatePullThroughCacheRule: validatePullThroughCacheRule,
} satisfies Operations

/** Refused by name until they act. */
const UNSUPPORTED = [] satisfies readonly EcrOperationName[]

/** ECR's error texts name these with a capital, all others in camelCase. */
export const SPELLING = {
  imageManifest: 'ImageManifest',
  lifecyclePolicyText: 'LifecyclePolicyText',
  policyText: 'PolicyText',
}

/** Amazon ECR (private registries) over AWS JSON 1.1. */
export function ecrService(services: EcrServices): JsonService {
  return {
    model: ecrModel,
    operations: operationTable(ecrModel, OPERATIONS, UNSUPPORTED, (call) => ({ ...services, ...call })),
    spelling: SPELLING,
    errorMembers,
  }
}
