import ecrPublicModel from '../../../models/ecr-public.json' with { type: 'json' }
import { PUBLIC_API_REGION, PUBLIC_REGION, unsupportedCommand } from '../../domain/public-registry.ts'
import type { AwsCall } from '../aws/context.ts'
import type { JsonService } from '../aws/json-rpc.ts'
import { operationTable } from '../aws/operation-table.ts'
import { errorMembers } from '../ecr/error-members.ts'
import type { EcrServices } from '../ecr/operation.ts'
import { SPELLING } from '../ecr/operations.ts'
import { batchCheckLayerAvailability } from './batch-check-layer-availability.ts'
import { batchDeleteImage } from './batch-delete-image.ts'
import { completeLayerUpload } from './complete-layer-upload.ts'
import { createRepository } from './create-repository.ts'
import { deleteRepository } from './delete-repository.ts'
import { deleteRepositoryPolicy } from './delete-repository-policy.ts'
import { describeImageTags } from './describe-image-tags.ts'
import { describeImages } from './describe-images.ts'
import { describeRegistries } from './describe-registries.ts'
import { describeRepositories } from './describe-repositories.ts'
import { getAuthorizationToken } from './get-authorization-token.ts'
import { getRegistryCatalogData } from './get-registry-catalog-data.ts'
import { getRepositoryCatalogData } from './get-repository-catalog-data.ts'
import { getRepositoryPolicy } from './get-repository-policy.ts'
import { initiateLayerUpload } from './initiate-layer-upload.ts'
import { listTagsForResource } from './list-tags-for-resource.ts'
import type { OwnPublicServices, PublicCall } from './operation.ts'
import { putImage } from './put-image.ts'
import { putRegistryCatalogData } from './put-registry-catalog-data.ts'
import { putRepositoryCatalogData } from './put-repository-catalog-data.ts'
import { setRepositoryPolicy } from './set-repository-policy.ts'
import { tagResource } from './tag-resource.ts'
import { untagResource } from './untag-resource.ts'
import { uploadLayerPart } from './upload-layer-part.ts'

const OPERATIONS = {
  BatchCheckLayerAvailability: batchCheckLayerAvailability,
  BatchDeleteImage: batchDeleteImage,
  CompleteLayerUpload: completeLayerUpload,
  CreateRepository: createRepository,
  DeleteRepository: deleteRepository,
  DeleteRepositoryPolicy: deleteRepositoryPolicy,
  DescribeImageTags: describeImageTags,
  DescribeImages: describeImages,
  DescribeRegistries: describeRegistries,
  DescribeRepositories: describeRepositories,
  GetAuthorizationToken: getAuthorizationToken,
  GetRegistryCatalogData: getRegistryCatalogData,
  GetRepositoryCatalogData: getRepositoryCatalogData,
  GetRepositoryPolicy: getRepositoryPolicy,
  InitiateLayerUpload: initiateLayerUpload,
  ListTagsForResource: listTagsForResource,
  PutImage: putImage,
  PutRegistryCatalogData: putRegistryCatalogData,
  PutRepositoryCatalogData: putRepositoryCatalogData,
  SetRepositoryPolicy: setRepositoryPolicy,
  TagResource: tagResource,
  UntagResource: untagResource,
  UploadLayerPart: uploadLayerPart,
}

/** Amazon ECR Public over AWS JSON 1.1. */
export function ecrPublicService(services: EcrServices & OwnPublicServices): JsonService {
  const contextFor = (call: AwsCall): PublicCall => {
    if (call.region !== PUBLIC_API_REGION) throw unsupportedCommand(call.region)
    return { ...services, ...call, region: PUBLIC_REGION }
  }
  return {
    model: ecrPublicModel,
    operations: operationTable(ecrPublicModel, OPERATIONS, [], contextFor),
    spelling: SPELLING,
    errorMembers,
  }
}
