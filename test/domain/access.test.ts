import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { type ApplicablePolicies, decide, type NamedPolicy } from '../../src/domain/iam/evaluate.ts'
import { parseIdentityPolicy, parseResourcePolicy } from '../../src/domain/iam/iam-policies.ts'
import { parseRegistryId } from '../../src/domain/names.ts'
import { NOWHERE, type Principal } from '../../src/domain/principal.ts'
import {
  obviouslyDecided,
  type PlainCaller,
  type PlainPolicies,
  type PlainRequest,
  type PlainStatement,
} from './obvious-access.ts'

const HERE = '111111111111'
const THERE = '222222222222'
const CALLERS: readonly PlainCaller[] = [HERE, THERE].flatMap((accountId) => [
  { accountId, kind: 'root', arn: `arn:aws:iam::${accountId}:root`, identityArn: `arn:aws:iam::${accountId}:root` },
  {
    accountId,
    kind: 'user',
    arn: `arn:aws:iam::${accountId}:user/ann`,
    identityArn: `arn:aws:iam::${accountId}:user/ann`,
  },
  {
    accountId,
    kind: 'role',
    arn: `arn:aws:sts::${accountId}:assumed-role/ci/s`,
    identityArn: `arn:aws:iam::${accountId}:role/ci`,
  },
])
const NAMES = [...new Set(CALLERS.filter(({ kind }) => kind !== 'root').flatMap((one) => [one.arn, one.identityArn]))]

const some = <T>(...values: readonly T[]) => fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 })
const actions = some('ecr:PutImage', 'ECR:putimage', 'ecr:Put*', 'ecr:?utImage', 'ecr:BatchGetImage', '*', 's3:*')
const resources = some('*', 'arn:aws:ecr:*:*:repository/app', 'arn:aws:ecr:*:*:repository/*', 'arn:aws:s3:::b')
const KEYS = ['aws:PrincipalArn', 'aws:username', 'aws:TagKeys', 'ecr:ImageTag']
const values = some('a', 'b', 'arn:*', '*a*')
const condition = fc.option(
  fc.oneof(
    ...['StringEquals', 'StringNotEquals', 'StringLike', 'StringLikeIfExists', 'ForAllValues:StringLike'].map(
      (operator) =>
        fc.tuple(fc.constantFrom(...KEYS), values).map(([key, wanted]) => ({ [operator]: { [key]: wanted } })),
    ),
    fc.tuple(fc.constantFrom(...KEYS), values).map(([key, wanted]) => ({
      'ForAnyValue:StringNotLike': { [key]: wanted },
    })),
    fc.tuple(fc.constantFrom(...KEYS), some('true', 'false')).map(([key, wanted]) => ({ Null: { [key]: wanted } })),
  ),
  { nil: undefined },
)

/** Most statements are about most requests, or nothing would ever be decided. */
const common = fc
  .record({ effect: fc.constantFrom('Allow', 'Allow', 'Deny'), actions, isNot: fc.nat(5), resources, condition })
  .map(
    ({ effect, actions: action, isNot, resources: resource, condition: when }): PlainStatement => ({
      Effect: effect as PlainStatement['Effect'],
      ...(isNot === 0 ? { NotAction: action } : { Action: action }),
      ...(isNot === 1 ? { NotResource: resource } : { Resource: resource }),
      ...(when === undefined ? {} : { Condition: when }),
    }),
  )
const resourceStatement = fc
  .tuple(
    common,
    fc.oneof(
      fc.constant('*' as const),
      some(HERE, THERE, ...NAMES).map((AWS) => ({ AWS })),
    ),
  )
  .map(([statement, Principal]): PlainStatement => ({ ...statement, Principal }))
const policy = fc.array(common, { minLength: 1, maxLength: 3 })
const policies: fc.Arbitrary<PlainPolicies> = fc.record({
  identity: fc.array(policy, { maxLength: 2 }),
  boundary: fc.option(policy, { nil: undefined }),
  session: fc.option(fc.array(policy, { minLength: 1, maxLength: 2 }), { nil: undefined }),
  resource: fc.array(fc.array(resourceStatement, { minLength: 1, maxLength: 3 }), { maxLength: 2 }),
})
const request: fc.Arbitrary<PlainRequest> = fc
  .record({
    caller: fc.constantFrom(...CALLERS),
    action: fc.constantFrom('ecr:putimage', 'ecr:batchgetimage'),
    resource: fc.constantFrom(`arn:aws:ecr:r:${HERE}:repository/app`, `arn:aws:ecr:r:${HERE}:repository/b`, '*'),
    tags: fc.option(some('a', 'b', 'ca'), { nil: undefined }),
  })
  .map(({ caller, action, resource, tags }) => ({
    caller,
    action,
    resource,
    owner: HERE,
    context: {
      'aws:principalarn': [caller.identityArn],
      ...(caller.kind === 'user' ? { 'aws:username': ['ann'] } : {}),
      ...(tags === undefined ? {} : { 'aws:tagkeys': tags, 'ecr:imagetag': tags }),
    },
  }))

function principalOf({ accountId, arn, identityArn, kind }: PlainCaller): Principal {
  const [userId, accessKeyId, tags, circumstances] = ['ID', 'AKIA', [], NOWHERE] as const
  return { kind, accountId: parseRegistryId(accountId), arn, identityArn, userId, accessKeyId, tags, circumstances }
}

function compiled(
  list: readonly (readonly PlainStatement[])[],
  parse: typeof parseIdentityPolicy,
): readonly NamedPolicy[] {
  return list.map((statements, index) => {
    const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
    return { name: `p${index}`, policy: parse(text) }
  })
}

function decided({ caller, action, resource, owner, context }: PlainRequest, plain: PlainPolicies) {
  const isRoot = caller.kind === 'root'
  const [boundary] = isRoot || plain.boundary === undefined ? [] : compiled([plain.boundary], parseIdentityPolicy)
  const applicable: ApplicablePolicies = {
    identity: isRoot ? 'everything' : compiled(plain.identity, parseIdentityPolicy),
    boundary,
    session: plain.session && compiled(plain.session, parseIdentityPolicy),
    resource: compiled(plain.resource, parseResourcePolicy),
  }
  const facts = (key: string) => context[key]
  return decide({ principal: principalOf(caller), action, resource, ownerAccountId: owner, facts }, applicable)
}

const RUNS = { numRuns: 1500 }
const isAllowed = (asked: PlainRequest, plain: PlainPolicies) => decided(asked, plain).outcome === 'allowed'

test('the decision is that of an evaluator that follows the documentation sentence by sentence', () => {
  const seen = new Map<string, number>()
  fc.assert(
    fc.property(request, policies, (asked, plain) => {
      const { outcome } = decided(asked, plain)
      seen.set(outcome, (seen.get(outcome) ?? 0) + 1)
      expect(outcome).toBe(obviouslyDecided(asked, plain))
    }),
    { numRuns: 6000 },
  )
  for (const outcome of ['allowed', 'denied', 'not-allowed']) expect(seen.get(outcome) ?? 0).toBeGreaterThan(50)
})

test('a denial that is about the request wins, wherever it stands', () => {
  const denial: PlainStatement = { Effect: 'Deny', Action: ['*'], Resource: ['*'] }
  fc.assert(
    fc.property(
      request,
      policies,
      fc.constantFrom('identity', 'boundary', 'session', 'resource'),
      (asked, plain, at) => {
        const isOfIdentity = at === 'identity' || at === 'boundary'
        if (isOfIdentity && asked.caller.kind === 'root') return
        const changed: PlainPolicies = {
          ...plain,
          ...(at === 'identity' && { identity: [...plain.identity, [denial]] }),
          ...(at === 'boundary' && { boundary: [...(plain.boundary ?? []), denial] }),
          ...(at === 'session' && { session: [...(plain.session ?? []), [denial]] }),
          ...(at === 'resource' && { resource: [[{ ...denial, Principal: '*' }], ...plain.resource] }),
        }
        expect(decided(asked, changed).outcome).toBe('denied')
      },
    ),
    RUNS,
  )
})

test('an allowance more never takes access away, a denial more never gives it', () => {
  fc.assert(
    fc.property(request, policies, common, resourceStatement, (asked, plain, one, ofResource) => {
      const changed: PlainPolicies = {
        ...plain,
        identity: [...plain.identity, [one]],
        resource: [...plain.resource, [{ ...ofResource, Effect: one.Effect }]],
      }
      const [before, after] = [isAllowed(asked, plain), isAllowed(asked, changed)]
      if (one.Effect === 'Allow' && before) expect(after).toBe(true)
      if (one.Effect === 'Deny' && !before) expect(after).toBe(false)
    }),
    RUNS,
  )
})

test('a boundary and a session only take away', () => {
  fc.assert(
    fc.property(request, policies, (asked, plain) => {
      const free = { ...plain, boundary: undefined, session: undefined }
      if (isAllowed(asked, plain)) expect(isAllowed(asked, free)).toBe(true)
    }),
    RUNS,
  )
})

test('the order of policies and of statements does not matter', () => {
  const turned = <T>(list: readonly T[]) => list.toReversed()
  fc.assert(
    fc.property(request, policies, (asked, plain) => {
      const backwards: PlainPolicies = {
        identity: turned(plain.identity.map(turned)),
        boundary: plain.boundary && turned(plain.boundary),
        session: plain.session && turned(plain.session.map(turned)),
        resource: turned(plain.resource.map(turned)),
      }
      expect(decided(asked, backwards).outcome).toBe(decided(asked, plain).outcome)
    }),
    RUNS,
  )
})

test('the case of actions does not matter', () => {
  const inCapitals = (one: PlainStatement): PlainStatement => ({
    ...one,
    ...(one.Action && { Action: one.Action.map((text) => text.toUpperCase()) }),
    ...(one.NotAction && { NotAction: one.NotAction.map((text) => text.toUpperCase()) }),
  })
  fc.assert(
    fc.property(request, policies, (asked, plain) => {
      const changed = {
        identity: plain.identity.map((list) => list.map(inCapitals)),
        boundary: plain.boundary?.map(inCapitals),
        session: plain.session?.map((list) => list.map(inCapitals)),
        resource: plain.resource.map((list) => list.map(inCapitals)),
      }
      expect(decided(asked, changed).outcome).toBe(decided(asked, plain).outcome)
    }),
    RUNS,
  )
})
