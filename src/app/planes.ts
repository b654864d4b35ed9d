import { VERSION } from '../config/version.ts'
import { Once } from '../lib/once.ts'
import type { AwsSetting } from '../protocols/aws/context.ts'
import { createJsonRpc } from '../protocols/aws/json-rpc.ts'
import { createQuery } from '../protocols/aws/query.ts'
import { createRestJson } from '../protocols/aws/rest-json.ts'
import type { Handler } from '../protocols/http/context.ts'
import { LargeBodies } from '../protocols/http/large-bodies.ts'
import { measured } from '../protocols/http/measured.ts'
import { besidePublic } from '../protocols/http/public-router.ts'
import { createRouter } from '../protocols/http/router.ts'
import { createLayerDownloads } from '../protocols/oci/downloads.ts'
import { createLogos } from '../protocols/oci/logos.ts'
import { createPublicOci } from '../protocols/oci/public-routes.ts'
import { createPublicToken } from '../protocols/oci/public-token.ts'
import { createOci } from '../protocols/oci/routes.ts'
import type { OciServices } from '../protocols/oci/services.ts'
import { createOperatorPlane } from '../protocols/operator/routes.ts'
import { Attempts } from '../services/credentials/attempts.ts'
import { cborServices, jsonServices, queryServices, restServices } from './aws-services.ts'
import type { Foundation } from './foundation.ts'
import type { Jobs } from './jobs.ts'
import type { Metrics } from './metrics.ts'
import type { Services } from './services.ts'

/** Where AWS has its public registries; always served, for those whose DNS says so. */
const PUBLIC_HOSTS = ['public.ecr.aws', 'ecr-public.aws.com']

/** Wrong signatures for one key from one address in a minute, before more are refused unseen. */
const BAD_SIGNATURES_MAX = 30

/** What forms on their way may take of memory together; an ordinary one has a few KiB. */
const FORMS_BYTES = 16 * 1024 * 1024

/** Puts every plane behind one handler. */
export function createPlanes(foundation: Foundation, services: Services, jobs: Jobs, metrics: Metrics): Handler {
  const { config, realClock: clock, report } = foundation
  const setting: AwsSetting = {
    clock,
    profile: config.profile,
    callers: services.callers,
    attempts: new Attempts(clock, BAD_SIGNATURES_MAX),
    audit: foundation.audit,
    report,
  }
  const bodies = new LargeBodies()
  // Apart from those: forms are read before anybody knows who sends them.
  const forms = new LargeBodies(FORMS_BYTES)
  const oci: OciServices = {
    ...services,
    ociAudit: { trail: foundation.audit, clock: foundation.clock },
    bodies,
    settings: { fidelity: config.fidelity, layerPartBytesMin: config.quotas.layerPartBytesMin },
    report,
  }
  const publicPlanes = {
    oci: createPublicOci({ ...services, ...oci }),
    token: createPublicToken(oci),
    logos: createLogos(services.publicRegistries),
  }
  const cbor = new Once(async () => {
    const { createRpcCbor } = await import('../protocols/aws/rpc-cbor.ts')
    return createRpcCbor(cborServices(services), setting, bodies)
  })
  const planes = besidePublic(
    new Set([config.publicHost, ...PUBLIC_HOSTS]),
    publicPlanes,
    createRouter({
      oci: createOci(oci),
      layerDownloads: createLayerDownloads(oci),
      awsJson: createJsonRpc(jsonServices(foundation, services), setting, bodies),
      awsRest: createRestJson(restServices(services), setting, bodies),
      awsCbor: async (request, context) => (await cbor.get())(request, context),
      awsQuery: createQuery(queryServices(foundation, services), setting, forms),
      operations: createOperations(foundation, services, jobs, metrics, setting),
    }),
  )
  return measured(planes, services.traffic)
}

function createOperations(
  foundation: Foundation,
  services: Services,
  jobs: Jobs,
  metrics: Metrics,
  setting: AwsSetting,
): Handler {
  const { config, logger, clock, realClock, metadata, checkReady } = foundation
  const { profile, fidelity, storage, defaultRegistry } = config
  return createOperatorPlane({
    scrapes: { token: config.metrics.token, print: () => metrics.print() },
    ...jobs.byOperator,
    administer: (command, parameters) => services.administration.run(command, parameters),
    replicate: (command, parameters) => services.replicationCommands.run(command, parameters),
    inspect: (command, parameters) => services.scanCommands.run(command, parameters),
    manageEvents: (command, parameters) => services.eventCommands.run(command, parameters),
    facts: { version: VERSION, profile, fidelity, storage: storage.kind, startedAt: realClock.now() },
    setting,
    logger,
    defaultRegistry,
    devTools: {
      clock,
      catchUp: () => jobs.catchUp(),
      reset: (scope) => metadata.transact((tx) => tx.resets.reset(scope)),
    },
    checkReady,
  })
}
