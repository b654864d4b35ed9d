import { reasonOf } from '../domain/iam/denial.ts'
import { Access } from '../services/access/access.ts'
import { RefusalSeal } from '../services/access/refusal-seal.ts'
import { policyTextsOf } from '../services/iam/policy-texts.ts'
import { MetricCounts } from '../services/metrics/metric-counts.ts'
import { AuthorizationMessages } from '../services/sts/authorization-messages.ts'
import { Throttle } from '../services/throttle.ts'
import { Traffic } from '../services/traffic.ts'
import { asError, type Foundation } from './foundation.ts'

/** What decides about every request, and what counts them. */
export function createAccessServices(foundation: Foundation) {
  const { config, logger, clock, ids, metadata, sealer } = foundation
  const throttle = new Throttle(config.rates, clock, config.publicRates)
  const refusalSeal = new RefusalSeal(sealer, ids)
  const metricCounts = new MetricCounts(metadata, clock, (error) =>
    logger.error({ error: asError(error) }, 'counts for metrics lost'),
  )
  const traffic = new Traffic(config.metrics.repositoriesMax, metricCounts)
  const access = createAccess(foundation, throttle, refusalSeal, traffic)
  const authorizationMessages = new AuthorizationMessages(access, refusalSeal)
  return { access, authorizationMessages, metricCounts, throttle, traffic }
}

/** The one that decides; what it refuses, or would refuse, is logged. */
function createAccess(
  { config, logger, clock, metadata }: Foundation,
  throttle: Throttle,
  refusalSeal: RefusalSeal,
  traffic: Traffic,
): Access {
  return new Access(metadata, clock, throttle, {
    mode: config.iam,
    organizationId: config.organizationId,
    identityPoliciesOf: (principal) => policyTextsOf(metadata, principal),
    onCall: (accountId, region, action) => traffic.called(accountId, region, action),
    onDenied: ({ isEnforced, principal, action, resource, decision }) => {
      if (!isEnforced)
        logger.warn(
          {
            requestId: principal.circumstances.requestId,
            principal: principal.arn,
            action,
            resource,
            reason: reasonOf(decision, action),
            policy: decision.policy,
            statement: decision.statement?.sid ?? decision.statement?.index,
          },
          'policies would have denied a request',
        )
    },
    sealRefusal: (refused) => refusalSeal.seal(refused),
    report: (error) => logger.error({ error }, 'a policy cannot be used'),
  })
}
