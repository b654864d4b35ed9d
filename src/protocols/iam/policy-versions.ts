import type { PolicyVersion } from '@aws-sdk/client-iam'
import type { ShownVersion } from '../../services/iam/managed-policies.ts'
import { documentOutput } from './entity-output.ts'
import type { IamOperation } from './operation.ts'
import { pageFacts, pagingOf } from './pages.ts'

export const createPolicyVersion: IamOperation<'CreatePolicyVersion'> = async (input, call) => {
  const { PolicyArn, PolicyDocument, SetAsDefault = false } = input
  const version = await call.managedPolicies.createVersion(call.principal, PolicyArn, PolicyDocument, SetAsDefault)
  return { PolicyVersion: listed(version) }
}

export const getPolicyVersion: IamOperation<'GetPolicyVersion'> = async ({ PolicyArn, VersionId }, call) => {
  const number = numberOf(VersionId)
  const version = await call.managedPolicies.getVersion(call.principal, PolicyArn, number, VersionId)
  return { PolicyVersion: { Document: documentOutput(version.version.text), ...listed(version) } }
}

export const listPolicyVersions: IamOperation<'ListPolicyVersions'> = async (input, call) => {
  const page = await call.managedPolicies.listVersions(call.principal, input.PolicyArn, pagingOf(input))
  return { Versions: page.items.map(listed), ...pageFacts(page) }
}

export const setDefaultPolicyVersion: IamOperation<'SetDefaultPolicyVersion'> = async (input, call) => {
  const { PolicyArn, VersionId } = input
  await call.managedPolicies.setDefaultVersion(call.principal, PolicyArn, numberOf(VersionId), VersionId)
  return {}
}

export const deletePolicyVersion: IamOperation<'DeletePolicyVersion'> = async ({ PolicyArn, VersionId }, call) => {
  await call.managedPolicies.deleteVersion(call.principal, PolicyArn, numberOf(VersionId), VersionId)
  return {}
}

/** The number in `v1`; no version that was made here is called otherwise. */
function numberOf(id: string): number | undefined {
  const [, digits] = /^v([1-9][0-9]{0,8})$/.exec(id) ?? []
  return digits === undefined ? undefined : Number(digits)
}

function listed({ version, isDefault }: ShownVersion): PolicyVersion {
  return { VersionId: `v${version.number}`, IsDefaultVersion: isDefault, CreateDate: version.createdAt }
}
