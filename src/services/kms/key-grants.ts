import { accountRootArn } from '../../domain/arn.ts'
import { accessDenied, invalidParameter, limitExceeded } from '../../domain/errors.ts'
import { isSameContext } from '../../domain/kms/encryption-context.ts'
import {
  arnInvalid,
  dryRunSucceeded,
  grantIdInvalid,
  grantNotFound,
  grantTokenInvalid,
  keyDisabled,
  keyStateInvalid,
} from '../../domain/kms/errors.ts'
import {
  type Grant,
  type GrantConstraints,
  type GrantOperation,
  granteeNames,
  isGrantOperation,
  isSameGrant,
} from '../../domain/kms/grant.ts'
import { type KmsKey, keyArn } from '../../domain/kms/key.ts'
import type { Clock } from '../../lib/clock.ts'
import type { Ids } from '../../lib/ids.ts'
import type { GrantFilter } from '../../stores/keys.ts'
import type { MetadataStore, MetadataWriter } from '../../stores/metadata.ts'
import type { PageOf, Paging } from '../paging.ts'
import type { KeyAccess, KeyCaller } from './key-access.ts'
import { pageByMarker } from './markers.ts'

const GRANTS_PER_KEY = 50_000
const GRANT_ID_BYTES = 32
const TOKEN_BYTES = 48

const PRINCIPAL =
  /^arn:aws[a-z-]*:(?:iam::[0-9]{12}:(?:root|(?:user|role)\/[\w+=,.@/-]+)|sts::[0-9]{12}:(?:assumed-role|federated-user)\/[\w+=,.@/-]+)$/

/** What a caller says of a grant. */
export interface GrantWish {
  readonly grantee: string
  readonly retiringPrincipal?: string | undefined
  readonly operations: readonly string[]
  readonly constraints?: GrantConstraints | undefined
  readonly name?: string | undefined
  readonly grantTokens?: readonly string[] | undefined
  readonly isDryRun?: boolean | undefined
}

/** Which grant of which key is to end. */
export type GrantToRetire =
  | { readonly token: string }
  | {
      /** The key's ARN or id. */
      readonly named: string
      readonly grantId: string
    }

/** Grants: rights to use a key that are given and taken one by one. */
export class KeyGrants {
  readonly #metadata: MetadataStore
  readonly #access: KeyAccess
  readonly #clock: Clock
  readonly #ids: Ids

  constructor(metadata: MetadataStore, access: KeyAccess, clock: Clock, ids: Ids) {
    this.#metadata = metadata
    this.#access = access
    this.#clock = clock
    this.#ids = ids
  }

  /** A named grant that says the same as one that is there is that one. Throws `key-disabled`, `key-state-invalid`, `invalid-parameter`. */
  async create(caller: KeyCaller, named: string, wish: GrantWish): Promise<Grant> {
    const grant = this.#newGrant(caller, wish)
    const ask = {
      action: 'kms:CreateGrant',
      grantTokens: wish.grantTokens,
      facts: {
        'kms:granteeprincipal': wish.grantee,
        'kms:retiringprincipal': wish.retiringPrincipal,
        'kms:grantisforawsresource': String(caller.viaService !== undefined),
        'kms:grantconstrainttype': constraintType(wish.constraints),
        'kms:grantoperations': wish.operations,
      },
    } as const
    const key = await this.#access.find(caller, named, ask)
    const parents = await this.#access.authorize(caller, key, ask)
    if (parents.length > 0 && !parents.some((parent) => isWithin(grant, parent)))
      throw accessDenied(caller.principal.arn, ask.action, keyArn(key), 'because the grant it is made by permits less')
    assertGrantable(key)
    if (wish.isDryRun === true) throw dryRunSucceeded()
    return this.#metadata.transact((tx) => this.#insert(tx, key, grant))
  }

  async list(
    caller: KeyCaller,
    named: string,
    filter: GrantFilter,
    paging: Paging,
  ): Promise<{ readonly key: KmsKey; readonly page: PageOf<Grant> }> {
    const key = await this.#access.get(caller, named, { action: 'kms:ListGrants' })
    if (key.state === 'PendingDeletion') throw keyStateInvalid(keyArn(key), key.state)
    const page = await pageByMarker(
      paging,
      (page) => this.#metadata.view.keys.listGrants(key.id, filter, page),
      ({ grantId }) => grantId,
    )
    return { key, page }
  }

  /** Throws `key-grant-id-invalid` when there is none. */
  async revoke(caller: KeyCaller, named: string, grantId: string, isDryRun = false): Promise<void> {
    const key = await this.#access.get(caller, named, { action: 'kms:RevokeGrant' })
    const [grant] = await this.#metadata.view.keys.listGrants(key.id, { grantId }, { limit: 1 })
    if (grant === undefined) throw grantIdInvalid()
    if (isDryRun) throw dryRunSucceeded()
    await this.#metadata.transact((tx) => tx.keys.deleteGrant(key.id, grantId))
  }

  /** Ends a grant by those it names: who may retire it, or who was given it with that right; and by the account that made it. */
  async retire(caller: KeyCaller, which: GrantToRetire, isDryRun = false): Promise<void> {
    const { key, grant } = await this.#find(caller, which)
    const { principal } = caller
    const names = granteeNames(principal)
    const mayRetire =
      (grant.retiringPrincipal !== undefined && names.includes(grant.retiringPrincipal)) ||
      (names.includes(grant.grantee) && grant.operations.includes('RetireGrant')) ||
      (principal.kind === 'root' && principal.accountId === grant.issuingAccount)
    const ask = { action: 'kms:RetireGrant' } as const
    const isDenied = (await this.#access.outcomeOf(caller, key, ask)) === 'denied'
    if (!mayRetire || isDenied)
      throw accessDenied(principal.arn, ask.action, keyArn(key), 'because the grant does not name the caller')
    if (isDryRun) throw dryRunSucceeded()
    await this.#metadata.transact((tx) => tx.keys.deleteGrant(key.id, grant.grantId))
  }

  async #find(caller: KeyCaller, which: GrantToRetire): Promise<{ readonly key: KmsKey; readonly grant: Grant }> {
    const { keys } = this.#metadata.view
    if ('token' in which) {
      const found = await keys.findGrantByToken(which.token)
      const key = found && (await keys.find(found.keyId))
      if (found === undefined || key === undefined || key.home.region !== caller.region) throw grantTokenInvalid()
      return { key, grant: found.grant }
    }
    const key = await this.#access.find(caller, which.named, { action: 'kms:RetireGrant' })
    const [grant] = await keys.listGrants(key.id, { grantId: which.grantId }, { limit: 1 })
    if (grant === undefined) throw grantNotFound()
    return { key, grant }
  }

  async #insert(tx: MetadataWriter, { id, keyId }: KmsKey, grant: Grant): Promise<Grant> {
    const key = await tx.keys.find(keyId)
    if (key === undefined) throw grantNotFound()
    assertGrantable(key)
    if (grant.name !== undefined) {
      const others = await tx.keys.listGrants(id, { grantee: grant.grantee }, { limit: GRANTS_PER_KEY })
      const same = others.find((other) => isSameGrant(other, grant))
      if (same !== undefined) return same
    }
    if ((await tx.keys.countGrants(id)) >= GRANTS_PER_KEY) throw limitExceeded(GRANTS_PER_KEY, 'grants per key')
    await tx.keys.insertGrant(id, grant)
    return grant
  }

  #newGrant({ principal }: KeyCaller, { grantee, retiringPrincipal, operations, constraints, name }: GrantWish): Grant {
    for (const arn of [grantee, ...(retiringPrincipal === undefined ? [] : [retiringPrincipal])])
      if (!PRINCIPAL.test(arn)) throw arnInvalid(arn)
    return {
      ...newGrantIdentity(this.#ids, this.#clock),
      name,
      grantee,
      retiringPrincipal,
      operations: checkedOperations(operations),
      constraints,
      issuingAccount: principal.accountId,
    }
  }
}

/** What tells a new grant from all others. */
export function newGrantIdentity(ids: Ids, clock: Clock): Pick<Grant, 'grantId' | 'token' | 'createdAt'> {
  return {
    grantId: ids.secret(GRANT_ID_BYTES).toHex(),
    token: ids.secret(TOKEN_BYTES).toBase64(),
    createdAt: clock.now(),
  }
}

/** The issuing account as KMS shows it. */
export function issuerArn(grant: Grant, { home }: KmsKey): string {
  return accountRootArn({ ...home, registryId: grant.issuingAccount as KmsKey['home']['registryId'] })
}

function checkedOperations(given: readonly string[]): readonly GrantOperation[] {
  const operations = [...new Set(given)].filter(isGrantOperation)
  const other = given.find((name) => !isGrantOperation(name))
  if (other !== undefined || operations.length === 0)
    throw invalidParameter('operations', `Grant operation ${other ?? ''} is not valid for a symmetric encryption key`)
  return operations
}

function constraintType(constraints: GrantConstraints | undefined): string | undefined {
  if (constraints?.equals !== undefined) return 'EncryptionContextEquals'
  return constraints?.subset === undefined ? undefined : 'EncryptionContextSubset'
}

/** A grant made by a grant gives no more than that one does, under its very constraints. */
function isWithin(grant: Grant, parent: Grant): boolean {
  if (!grant.operations.every((operation) => parent.operations.includes(operation))) return false
  const { equals, subset } = parent.constraints ?? {}
  const isSame = (one: GrantConstraints['equals'], other: GrantConstraints['equals']) =>
    one === undefined || (other !== undefined && isSameContext(one, other))
  return isSame(equals, grant.constraints?.equals) && isSame(subset, grant.constraints?.subset)
}

function assertGrantable(key: KmsKey): void {
  if (key.state === 'Disabled') throw keyDisabled(keyArn(key))
  if (key.state === 'PendingDeletion') throw keyStateInvalid(keyArn(key), key.state)
}
