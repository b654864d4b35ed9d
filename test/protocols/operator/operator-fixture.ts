import type { AccessQuestion } from '../../../src/domain/iam/access-report.ts'
import type { RepositoryRef } from '../../../src/domain/names.ts'
import { silentLogger } from '../../../src/lib/logger.ts'
import { VirtualClock } from '../../../src/lib/virtual-clock.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { createOperatorPlane } from '../../../src/protocols/operator/routes.ts'
import type { DevTools, OperatorServices } from '../../../src/protocols/operator/services.ts'
import { AccessExplanations } from '../../../src/services/access/access-explanations.ts'
import { registry, type Services } from '../../support/service-fixture.ts'
import { awsSetting } from '../aws/aws-setting.ts'

export interface Surroundings {
  readonly method?: string
  readonly profile?: 'dev' | 'server'
  readonly isLoopback?: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Asks the operator's plane over these services, as a program on the same machine unless it is said otherwise. */
export async function askOperator(
  { access, clock, metadata, lifecycleJobs, signingProfiles }: Services,
  path: string,
  { method = 'POST', profile = 'dev', isLoopback = true, headers = {}, body }: Surroundings = {},
  devTools: Partial<DevTools> = {},
  checkReady: () => Promise<void> = async () => undefined,
) {
  const setting = awsSetting({ clock, profile })
  const none = async () => {
    throw new Error('not asked for')
  }
  const services: OperatorServices = {
    facts: { version: '0', profile, fidelity: 'oci', storage: 'memory', startedAt: clock.now() },
    setting,
    logger: silentLogger,
    defaultRegistry: registry,
    devTools: {
      clock: new VirtualClock(clock),
      catchUp: async () => undefined,
      reset: (scope) => metadata.transact((tx) => tx.resets.reset(scope)),
      ...devTools,
    },
    checkReady,
    scrapes: { token: undefined, print: none },
    totals: none,
    collectGarbage: none,
    scrub: none,
    costs: none,
    backUp: none,
    streamBackup: () => Promise.reject(new Error('nothing to stream')),
    verifyAudit: none,
    replicate: none,
    inspect: none,
    manageEvents: none,
    administer: none,
    advisoryStatus: none,
    importAdvisories: none,
    fetchAdvisories: none,
    explainAccess: (question: AccessQuestion) =>
      new AccessExplanations(metadata, access, clock, registry.region).explain(question),
    signingCertificate: (arn: string) => signingProfiles.certificateOf(arn),
    runLifecycle: (target: RepositoryRef | 'all') => lifecycleJobs.run(target),
    forecastLifecycle: (ref: RepositoryRef) => lifecycleJobs.forecast(ref),
  }
  const request = new Request(`http://localhost:4566${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
  })
  const response = await createOperatorPlane(services)(request, detachedContext({ isLoopback }))
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
}
