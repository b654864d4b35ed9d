import type { Principal } from '../../domain/principal.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { IdentityPolicyTexts, PolicyText } from '../access/compiled-policies.ts'
import { identityPoliciesOf, type ManagedText } from './identity-policies.ts'

/** The policies of the user or role behind a principal, by names that people know; `undefined` when it is gone. */
export async function policyTextsOf(
  metadata: MetadataStore,
  { kind, userId, identityArn }: Principal,
): Promise<IdentityPolicyTexts | undefined> {
  // The id of a session is the role's and the session's name; ids are never used twice, names are.
  const [uniqueId = ''] = userId.split(':', 1)
  // A federated user has no id of its own: what counts is the user who asked for the credentials.
  const found = await identityPoliciesOf(metadata, kind === 'federated-user' ? identityArn : uniqueId)
  if (found === undefined) return undefined
  const { inline, managed, boundary } = found
  return { policies: [...inline, ...managed.map(named)], boundary: boundary && named(boundary) }
}

function named({ arn, text }: ManagedText): PolicyText {
  return { name: arn, text }
}
