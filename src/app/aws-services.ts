import { registryHostFor } from '../config/addresses.ts'
import { partitionOf } from '../domain/arn.ts'
import type { LazyJsonService } from '../protocols/aws/json-rpc.ts'
import type { LazyQueryService } from '../protocols/aws/query.ts'
import type { LazyRestService } from '../protocols/aws/rest-json.ts'
import { INSPECTOR_PATHS } from '../protocols/inspector2/paths.ts'
import type { Foundation } from './foundation.ts'
import type { Services } from './services.ts'

/**
 * The AWS services that speak JSON 1.1, by the prefix of their targets. Each is loaded with its first call: a start waits
 * for none of them.
 */
export function jsonServices({ config }: Foundation, services: Services): readonly LazyJsonService[] {
  const { registryHost, publicHost } = config
  const ecr = async () => {
    const { Addresses } = await import('../protocols/ecr/addresses.ts')
    const addresses = new Addresses(({ registryId, region }) =>
      registryHost === undefined ? undefined : registryHostFor(registryHost, registryId, region),
    )
    return { ...services, addresses }
  }
  return [
    {
      targetPrefix: 'AmazonEC2ContainerRegistry_V20150921',
      load: async () => (await import('../protocols/ecr/operations.ts')).ecrService(await ecr()),
    },
    {
      targetPrefix: 'SpencerFrontendService',
      load: async () => {
        const { ecrPublicService } = await import('../protocols/ecr-public/operations.ts')
        const { PublicAddresses } = await import('../protocols/ecr-public/public-addresses.ts')
        return ecrPublicService({ ...(await ecr()), publicAddresses: new PublicAddresses(publicHost) })
      },
    },
    {
      targetPrefix: 'TrentService',
      load: async () => (await import('../protocols/kms/operations.ts')).kmsService(services),
    },
    {
      targetPrefix: 'secretsmanager',
      load: async () => (await import('../protocols/secretsmanager/operations.ts')).secretsService(services),
    },
    {
      targetPrefix: 'com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101',
      load: async () => (await import('../protocols/cloudtrail/operations.ts')).cloudTrailService(services),
    },
    {
      targetPrefix: 'AWSEvents',
      load: async () => (await import('../protocols/events/operations.ts')).eventsService(services),
    },
    cloudWatch(services),
  ]
}

/** The same for those that are called by paths of their own. */
export function restServices(services: Services): readonly LazyRestService[] {
  return [
    {
      operations: INSPECTOR_PATHS,
      load: async () => (await import('../protocols/inspector2/operations.ts')).inspectorService(services),
    },
  ]
}

/** The same for those that speak Smithy's RPC with CBOR. */
export function cborServices(services: Services): readonly LazyJsonService[] {
  return [cloudWatch(services)]
}

/** CloudWatch's clients speak three protocols, each client the newest it knows. */
function cloudWatch(services: Services): LazyJsonService {
  return {
    targetPrefix: 'GraniteServiceVersion20100801',
    load: async () => (await import('../protocols/cloudwatch/operations.ts')).cloudWatchService(services),
  }
}

/** The same for those that speak Query, by the version of their API. */
export function queryServices(foundation: Foundation, services: Services): readonly LazyQueryService[] {
  const { config, metadata, clock, ids } = foundation
  return [
    {
      apiVersion: '2010-05-08',
      load: async () => {
        const { iamService } = await import('../protocols/iam/operations.ts')
        const { createIamServices } = await import('../services/iam/iam-services.ts')
        const partition = partitionOf(config.defaultRegistry.region)
        return iamService(createIamServices(metadata, services.access, clock, ids, partition))
      },
    },
    {
      apiVersion: '2011-06-15',
      load: async () => (await import('../protocols/sts/operations.ts')).stsService(services),
    },
    { apiVersion: '2010-08-01', load: () => cloudWatch(services).load() },
  ]
}
