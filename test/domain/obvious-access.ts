/** A policy as its JSON, of the part of the language that property tests generate. */
export interface PlainStatement {
  readonly Effect: 'Allow' | 'Deny'
  readonly Principal?: '*' | { readonly AWS: readonly string[] }
  readonly Action?: readonly string[]
  readonly NotAction?: readonly string[]
  readonly Resource?: readonly string[]
  readonly NotResource?: readonly string[]
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>
}

export interface PlainCaller {
  readonly accountId: string
  readonly arn: string
  readonly identityArn: string
  readonly kind: 'root' | 'user' | 'role'
}

export interface PlainRequest {
  readonly caller: PlainCaller
  readonly action: string
  readonly resource: string
  readonly owner: string
  /** By key in lower case. */
  readonly context: Readonly<Record<string, readonly string[]>>
}

export interface PlainPolicies {
  readonly identity: readonly (readonly PlainStatement[])[]
  readonly boundary: readonly PlainStatement[] | undefined
  readonly session: readonly (readonly PlainStatement[])[] | undefined
  readonly resource: readonly (readonly PlainStatement[])[]
}

type Answer = 'allowed' | 'denied' | 'not-allowed'

/** The decision as AWS's documentation tells it, slowly and one sentence after the other. */
export function obviouslyDecided(request: PlainRequest, policies: PlainPolicies): Answer {
  const { caller, owner } = request
  const all = [
    ...(caller.kind === 'root' ? [] : policies.identity.flat()),
    ...(caller.kind === 'root' ? [] : (policies.boundary ?? [])),
    ...(policies.session ?? []).flat(),
  ]
  const about = (statement: PlainStatement) => isAbout(statement, request)
  const resource = policies.resource.flat().filter((statement) => about(statement) && names(statement, caller))
  // An explicit deny in any policy overrides every allow.
  if (all.some((one) => one.Effect === 'Deny' && about(one))) return 'denied'
  if (resource.some((one) => one.Effect === 'Deny')) return 'denied'
  const gifts = resource.filter((one) => one.Effect === 'Allow')
  const isOwn = caller.accountId === owner
  // Somebody of another account needs the resource's policy as well.
  if (!isOwn && gifts.length === 0) return 'not-allowed'
  // The user, or the session, that is named itself is beyond boundary and session policies in its own account.
  if (isOwn && gifts.some((one) => isNamed(one, caller) || isNamedByCondition(one))) return 'allowed'
  const identity =
    caller.kind === 'root' || policies.identity.flat().some((one) => one.Effect === 'Allow' && about(one))
  const gifted = isOwn && gifts.some((one) => !isDelegation(one, caller))
  if (!identity && !gifted) return 'not-allowed'
  const isWithin = (statements: readonly PlainStatement[]) =>
    statements.some((one) => one.Effect === 'Allow' && about(one))
  if (caller.kind !== 'root' && policies.boundary !== undefined && !isWithin(policies.boundary)) return 'not-allowed'
  if (policies.session !== undefined && !isWithin(policies.session.flat())) return 'not-allowed'
  return 'allowed'
}

function names({ Principal: principal }: PlainStatement, { accountId, arn, identityArn }: PlainCaller): boolean {
  if (principal === undefined) return false
  if (principal === '*') return true
  return [accountId, arn, identityArn].some((name) => principal.AWS.includes(name))
}

function isNamed({ Principal: principal }: PlainStatement, { arn, accountId, kind }: PlainCaller): boolean {
  if (principal === undefined || principal === '*') return false
  return principal.AWS.includes(arn) || (kind === 'root' && principal.AWS.includes(accountId))
}

function isNamedByCondition({ Principal: principal, Condition: condition = {} }: PlainStatement): boolean {
  // By an operator that says who it is, and not who it is not, or that it is anybody.
  const names = ['StringEquals', 'StringLike']
  return principal === '*' && names.some((operator) => 'aws:PrincipalArn' in (condition[operator] ?? {}))
}

function isDelegation({ Principal: principal }: PlainStatement, { arn, identityArn }: PlainCaller): boolean {
  return principal !== '*' && !principal?.AWS.includes(arn) && !principal?.AWS.includes(identityArn)
}

function isAbout(statement: PlainStatement, { action, resource, context }: PlainRequest): boolean {
  const { Action, NotAction = [], Resource, NotResource, Condition = {} } = statement
  const matchesAny = (patterns: readonly string[], text: string) => patterns.some((one) => glob(one).test(text))
  const lower = (texts: readonly string[]) => texts.map((text) => text.toLowerCase())
  const isAction = Action === undefined ? !matchesAny(lower(NotAction), action) : matchesAny(lower(Action), action)
  if (!isAction) return false
  if (Resource !== undefined && !matchesAny(Resource, resource)) return false
  if (NotResource !== undefined && matchesAny(NotResource, resource)) return false
  return Object.entries(Condition).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => isMet(operator, context[key.toLowerCase()], wanted)),
  )
}

/** The operators that the generator knows. */
function isMet(operator: string, actual: readonly string[] | undefined, wanted: readonly string[]): boolean {
  const like = (one: string) => wanted.some((pattern) => glob(pattern).test(one))
  const same = (one: string) => wanted.includes(one)
  switch (operator) {
    case 'StringEquals':
      return actual?.some(same) ?? false
    case 'StringNotEquals':
      return !(actual?.some(same) ?? false)
    case 'StringLike':
      return actual?.some(like) ?? false
    case 'StringLikeIfExists':
      return actual?.some(like) ?? true
    case 'ForAllValues:StringLike':
      return actual?.every(like) ?? true
    case 'ForAnyValue:StringNotLike':
      return actual?.some((one) => !like(one)) ?? false
    case 'Null':
      return wanted.includes(String(actual === undefined))
  }
  throw new Error(`The generator does not know ${operator}`)
}

function glob(pattern: string): RegExp {
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${escaped.replaceAll('*', '.*').replaceAll('?', '.')}$`, 's')
}
