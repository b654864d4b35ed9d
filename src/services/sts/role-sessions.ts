import type { RegistryError } from '../../domain/errors.ts'
import type { MoreFacts } from '../../domain/iam/facts.ts'
import { parseIamArn } from '../../domain/iam-entities/iam-arn.ts'
import type { Principal } from '../../domain/principal.ts'
import { checkMayCallSts } from '../../domain/session-limits.ts'
import { type SessionTags, sessionTags } from '../../domain/session-tags.ts'
import { assumeRoleDenied, validationError } from '../../domain/sts-errors.ts'
import type { MetadataStore } from '../../stores/metadata.ts'
import type { SessionRecord } from '../../stores/sessions.ts'
import type { Access, Action, OtherResource } from '../access/access.ts'
import type { Sessions } from '../credentials/sessions.ts'
import { type AssumedRole, beginRoleSession, findRole, type NamedRole, sessionSeconds } from './assumed-role.ts'
import { type Narrowing, sessionPolicies } from './session-policies.ts'

/** Taking on a role. */
export interface AssumeRoleRequest extends Narrowing, SessionTags {
  readonly roleArn: string
  readonly sessionName: string
  readonly durationSeconds?: number | undefined
  readonly externalId?: string | undefined
  readonly sourceIdentity?: string | undefined
}

const NONE: SessionTags = { tags: [], transitiveKeys: [] }

/** Sessions of roles that known callers take on: the role's trust policy decides, and what the callers themselves may do. */
export class RoleSessions {
  readonly #metadata: MetadataStore
  readonly #access: Access
  readonly #sessions: Sessions

  constructor(metadata: MetadataStore, access: Access, sessions: Sessions) {
    this.#metadata = metadata
    this.#access = access
    this.#sessions = sessions
  }

  /**
   * Throws `access-denied`, also when there is no such role: nobody learns which ones there are; `invalid-parameter`,
   * `policy-malformed`, `packed-policy-too-large`.
   */
  async assume(caller: Principal, request: AssumeRoleRequest): Promise<AssumedRole> {
    checkMayCallSts(caller, 'AssumeRole')
    const role = await findRole(this.#metadata, request.roleArn)
    const calling = await this.#sessions.find(caller.accessKeyId)
    const { tags, transitiveKeys } = sessionTags(request, inheritedOf(calling))
    const sourceIdentity = sourceIdentityOf(caller, request)
    const refused = await this.#refusalOf(caller, role, request, { hasTags: tags.length > 0, sourceIdentity })
    if (role === undefined || refused !== undefined) {
      const { action = 'sts:AssumeRole', refusal } = refused ?? {}
      throw assumeRoleDenied(caller.arn, action, request.roleArn, refusal?.details)
    }
    const seconds = sessionSeconds(role, request.durationSeconds, caller.kind === 'role')
    const { texts: policies, packedSize } = await sessionPolicies(this.#metadata, role.role.accountId, request, tags)
    const session = { name: request.sessionName, policies, sourceIdentity, facts: {} }
    const begun = await beginRoleSession(this.#sessions, role, { tags, transitiveKeys }, session, seconds)
    return { ...begun, packedSize }
  }

  /** Tags and a source identity take permissions of their own, also those that the calling session hands on. */
  async #refusalOf(
    caller: Principal,
    role: NamedRole | undefined,
    request: AssumeRoleRequest,
    { hasTags, sourceIdentity }: { readonly hasTags: boolean; readonly sourceIdentity: string | undefined },
  ): Promise<{ readonly action: Action; readonly refusal: RegistryError } | undefined> {
    const actions: Action[] = ['sts:AssumeRole']
    if (hasTags) actions.push('sts:TagSession')
    if (sourceIdentity !== undefined) actions.push('sts:SetSourceIdentity')
    const { tags, transitiveKeys, externalId, sessionName } = request
    const facts: MoreFacts = {
      'sts:externalid': externalId,
      'sts:rolesessionname': sessionName,
      'sts:sourceidentity': sourceIdentity,
      'sts:transitivetagkeys': transitiveKeys.length === 0 ? undefined : transitiveKeys,
    }
    const resource = role === undefined ? missing(request.roleArn, caller) : resourceOf(role)
    for (const action of actions) {
      const refusal = await this.#access.refusalOf(caller, action, resource, { requestTags: tags, facts })
      if (refusal !== undefined) return { action, refusal }
    }
    return undefined
  }
}

function resourceOf({ role, arn }: NamedRole): OtherResource {
  return {
    arn,
    ownerAccountId: role.accountId,
    tags: async () => role.tags,
    policy: { name: 'trust policy', text: role.attributes.trustPolicy, kind: 'trust' },
    isClosed: true,
  }
}

/** A role that is not there is refused as one that trusts nobody. */
function missing(arn: string, { accountId }: Principal): OtherResource {
  const owner = parseIamArn(arn)?.accountId
  return { arn, ownerAccountId: owner === undefined || owner === 'aws' ? accountId : owner, isClosed: true }
}

function inheritedOf(calling: SessionRecord | undefined): SessionTags {
  return calling === undefined ? NONE : { tags: calling.principal.tags, transitiveKeys: calling.transitiveTagKeys }
}

/** Once set, it goes with every further role. */
function sourceIdentityOf({ session }: Principal, { sourceIdentity }: AssumeRoleRequest): string | undefined {
  const known = session?.sourceIdentity
  if (known !== undefined && sourceIdentity !== undefined && sourceIdentity !== known)
    throw validationError('The source identity of a session cannot be changed by role chaining.')
  return sourceIdentity ?? known
}
