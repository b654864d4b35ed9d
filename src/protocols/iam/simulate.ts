import type { EvaluationResult, PolicySourceType } from '@aws-sdk/client-iam'
import { pageOfAll } from '../../services/iam/markers.ts'
import type { SimulatedResult, Simulation } from '../../services/iam/simulation.ts'
import type { IamInput, IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const simulateCustomPolicy: IamOperation<'SimulateCustomPolicy'> = async (input, call) => {
  const results = await call.simulations.custom(call.principal, simulationOf(input))
  return output(results, input)
}

export const simulatePrincipalPolicy: IamOperation<'SimulatePrincipalPolicy'> = async (input, call) => {
  const results = await call.simulations.ofPrincipal(call.principal, input.PolicySourceArn, simulationOf(input))
  return output(results, input)
}

export const getContextKeysForCustomPolicy: IamOperation<'GetContextKeysForCustomPolicy'> = async (input, call) => ({
  ContextKeyNames: [...(await call.simulations.contextKeysOf(call.principal, input.PolicyInputList))],
})

export const getContextKeysForPrincipalPolicy: IamOperation<'GetContextKeysForPrincipalPolicy'> = async (
  { PolicySourceArn, PolicyInputList = [] },
  { principal, simulations },
) => ({
  ContextKeyNames: [...(await simulations.contextKeysOfPrincipal(principal, PolicySourceArn, PolicyInputList))],
})

type SimulationInput = IamInput<'SimulateCustomPolicy'> | IamInput<'SimulatePrincipalPolicy'>

function simulationOf(input: SimulationInput): Simulation {
  const context = (input.ContextEntries ?? []).map(
    ({ ContextKeyName = '', ContextKeyValues = [] }) => [ContextKeyName.toLowerCase(), ContextKeyValues] as const,
  )
  return {
    policies: input.PolicyInputList ?? [],
    boundaries: input.PermissionsBoundaryPolicyInputList ?? [],
    resourcePolicy: input.ResourcePolicy,
    resourceOwner: input.ResourceOwner,
    callerArn: input.CallerArn,
    actions: input.ActionNames,
    resources: input.ResourceArns?.length ? input.ResourceArns : ['*'],
    context: new Map(context),
  }
}

function output(results: readonly SimulatedResult[], input: SimulationInput) {
  const numbered = results.map((result, index) => ({ result, key: String(index).padStart(6, '0') }))
  const page = pageOfAll(numbered, pagingOf(input), ({ key }) => key)
  return { EvaluationResults: page.items.map(({ result }) => evaluation(result)), ...pageFacts(page) }
}

function evaluation(result: SimulatedResult): EvaluationResult {
  const { action, resource, outcome, matched, missingContextKeys, isAllowedByBoundary } = result
  return {
    EvalActionName: action,
    EvalResourceName: resource,
    EvalDecision: outcome,
    MatchedStatements: matched.map(({ policy, kind }) => ({
      SourcePolicyId: policy,
      SourcePolicyType: sourceOf(policy, kind),
    })),
    MissingContextValues: [...missingContextKeys],
    ...(isAllowedByBoundary === undefined
      ? {}
      : { PermissionsBoundaryDecisionDetail: { AllowedByPermissionsBoundary: isAllowedByBoundary } }),
  }
}

/** Where a statement stands: in a managed policy, by its ARN, or elsewhere. */
function sourceOf(policy: string, kind: string): PolicySourceType {
  if (kind === 'resource') return 'resource'
  if (/^arn:[^:]*:iam::aws:policy\//.test(policy)) return 'aws-managed'
  return policy.startsWith('arn:') ? 'user-managed' : 'none'
}
