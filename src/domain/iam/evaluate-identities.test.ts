import { describe, expect, test } from 'bun:test'
import { parseRegistryId } from '../names.ts'
import { type Principal, rootPrincipal, type Session, userPrincipal } from '../principal.ts'
import { reasonOf } from './denial.ts'
import { type Decision, decide, type NamedPolicy } from './evaluate.ts'
import { factsOf, type RequestFacts } from './facts.ts'
import { parseIdentityPolicy, parseResourcePolicy } from './iam-policies.ts'

const ACCOUNT = parseRegistryId('123456789012')
const GUESTS = parseRegistryId('999999999999')
const APP = `arn:aws:ecr:eu-west-3:${ACCOUNT}:repository/app`

const userOf = (account: typeof ACCOUNT): Principal =>
  userPrincipal(account, `arn:aws:iam::${account}:user/people/ann`, 'AIDAANN', 'AKIA')
const user = userOf(ACCOUNT)
const root = rootPrincipal(ACCOUNT, `arn:aws:iam::${ACCOUNT}:root`, 'AKIA')
const session = (more: Partial<Session> = {}): Session => ({
  name: 's',
  issuedAt: new Date('2026-03-02T07:00:00Z'),
  expiresAt: new Date('2026-03-02T09:00:00Z'),
  policies: [],
  facts: {},
  ...more,
})
const role: Principal = {
  ...user,
  kind: 'role',
  arn: `arn:aws:sts::${ACCOUNT}:assumed-role/ci/s`,
  identityArn: `arn:aws:iam::${ACCOUNT}:role/ci`,
  userId: 'AROACI:s',
  session: session(),
}

interface World {
  readonly principal?: Principal
  readonly identity?: readonly object[]
  readonly boundary?: readonly object[]
  readonly session?: readonly object[]
  readonly resource?: readonly object[]
  readonly isResourceClosed?: boolean
  readonly version?: string
  readonly asked?: string
  readonly facts?: Partial<RequestFacts>
}

function decided(world: World): Decision {
  const { principal = user, version = '2012-10-17', asked = APP, isResourceClosed } = world
  const compiled = (name: string, statements: readonly object[], parse = parseIdentityPolicy): NamedPolicy => ({
    name,
    policy: parse(JSON.stringify({ Version: version, Statement: statements })),
  })
  const request = {
    principal,
    action: 'ecr:putimage',
    ownerAccountId: ACCOUNT,
    now: new Date('2026-03-02T08:00:00Z'),
    resourceTags: [],
    ...world.facts,
  }
  return decide(
    { ...request, resource: asked, facts: factsOf(request) },
    {
      identity: principal.kind === 'root' ? 'everything' : world.identity ? [compiled('mine', world.identity)] : [],
      boundary: world.boundary && compiled('boundary', world.boundary),
      session: world.session && [compiled('session', world.session)],
      resource: world.resource ? [compiled('its own', world.resource, parseResourcePolicy)] : [],
      isResourceClosed,
    },
  )
}
const outcome = (world: World) => decided(world).outcome

const ALLOW = { Effect: 'Allow', Action: 'ecr:PutImage', Resource: '*' } as const
const DENY = { Effect: 'Deny', Action: 'ecr:PutImage', Resource: '*' } as const
const READ = { Effect: 'Allow', Action: 'ecr:BatchGetImage', Resource: '*' } as const
const to = (AWS: string) => [{ ...ALLOW, Principal: { AWS } }]
const toAll = (Condition: object = {}) => [{ ...ALLOW, Principal: '*', Condition }]

describe('within an account', () => {
  test('by default, all requests are implicitly denied', () => expect(outcome({})).toBe('not-allowed'))
  test('an explicit allow in an identity-based policy overrides this default', () =>
    expect(outcome({ identity: [ALLOW] })).toBe('allowed'))
  test('an explicit allow in a resource-based policy does too', () =>
    expect(outcome({ resource: to(user.arn) })).toBe('allowed'))
  test('an explicit deny in any policy overrides any allows', () => {
    const allowed = { identity: [ALLOW], boundary: [ALLOW], session: [ALLOW], resource: to(user.arn) }
    expect(outcome(allowed)).toBe('allowed')
    for (const kind of ['identity', 'boundary', 'session'])
      expect(outcome({ ...allowed, [kind]: [ALLOW, DENY] })).toBe('denied')
    expect(outcome({ ...allowed, resource: [...to(user.arn), { ...DENY, Principal: '*' }] })).toBe('denied')
  })
  test('the root is allowed everything that nothing denies', () => {
    expect(outcome({ principal: root })).toBe('allowed')
    expect(outcome({ principal: root, resource: [{ ...DENY, Principal: '*' }] })).toBe('denied')
  })
  test('naming the account delegates: its users still need their own policies', () => {
    expect(outcome({ resource: to(ACCOUNT) })).toBe('not-allowed')
    expect(outcome({ resource: to(`arn:aws:iam::${ACCOUNT}:root`), identity: [ALLOW] })).toBe('allowed')
  })
})

describe('a permissions boundary', () => {
  test('allows nothing by itself', () => expect(outcome({ boundary: [ALLOW] })).toBe('not-allowed'))
  test('limits what identity-based policies grant', () =>
    expect(decided({ identity: [ALLOW], boundary: [READ] })).toMatchObject({ outcome: 'not-allowed', by: 'boundary' }))
  test('does not limit what a resource-based policy grants to the user by name', () =>
    expect(outcome({ resource: to(user.arn), boundary: [READ] })).toBe('allowed'))
  test('limits what a resource-based policy grants to a role', () =>
    expect(outcome({ principal: role, resource: to(role.identityArn), boundary: [READ] })).toBe('not-allowed'))
  test('does not limit what it grants to the session of a role', () =>
    expect(outcome({ principal: role, resource: to(role.arn), boundary: [READ] })).toBe('allowed'))
  test('limits what it grants to everybody, unless a condition names the principal', () => {
    expect(outcome({ resource: toAll(), boundary: [READ] })).toBe('not-allowed')
    const named = toAll({ ArnEquals: { 'aws:PrincipalArn': user.arn } })
    expect(outcome({ resource: named, boundary: [READ] })).toBe('allowed')
  })
  test.each([
    { ArnNotEquals: { 'aws:PrincipalArn': role.identityArn } },
    { ArnEqualsIfExists: { 'aws:PrincipalArn': user.arn } },
    { Null: { 'aws:PrincipalArn': 'false' } },
  ])('is not lifted by a condition that only does not exclude the principal: %j', (condition) => {
    expect(outcome({ resource: toAll(condition), boundary: [READ] })).toBe('not-allowed')
    expect(outcome({ resource: toAll(condition), boundary: [ALLOW] })).toBe('allowed')
  })
})

describe('a session policy', () => {
  const inSession = (world: World) => decided({ principal: role, ...world })
  test('limits what the role may do', () => {
    expect(inSession({ identity: [ALLOW], session: [ALLOW] }).outcome).toBe('allowed')
    expect(inSession({ identity: [ALLOW], session: [READ] })).toMatchObject({ outcome: 'not-allowed', by: 'session' })
    expect(inSession({ identity: [READ], session: [ALLOW] })).toMatchObject({ outcome: 'not-allowed', by: 'identity' })
  })
  test('limits what a resource-based policy grants to the role, and not what it grants to the session', () => {
    expect(inSession({ resource: to(role.identityArn), session: [READ] }).outcome).toBe('not-allowed')
    expect(inSession({ resource: to(role.arn), session: [READ] }).outcome).toBe('allowed')
  })
})

describe('across accounts', () => {
  const guest = userOf(GUESTS)
  test('both sides must allow', () => {
    expect(decided({ principal: guest, identity: [ALLOW] })).toMatchObject({ outcome: 'not-allowed', by: 'resource' })
    expect(decided({ principal: guest, resource: to(guest.arn) })).toMatchObject({ by: 'identity' })
    expect(outcome({ principal: guest, identity: [ALLOW], resource: to(guest.arn) })).toBe('allowed')
    expect(outcome({ principal: guest, identity: [ALLOW], resource: to(GUESTS) })).toBe('allowed')
  })
  test('boundary and session limit even who is named', () => {
    const both = { principal: guest, identity: [ALLOW], resource: to(guest.arn) }
    expect(outcome({ ...both, boundary: [READ] })).toBe('not-allowed')
    expect(outcome({ ...both, session: [READ] })).toBe('not-allowed')
  })
})

describe('a resource that is closed', () => {
  test('lets nobody in whom its policy does not name', () => {
    expect(outcome({ identity: [ALLOW], isResourceClosed: true })).toBe('not-allowed')
    expect(outcome({ principal: root, isResourceClosed: true })).toBe('not-allowed')
    expect(outcome({ identity: [ALLOW], resource: to(ACCOUNT), isResourceClosed: true })).toBe('allowed')
    expect(outcome({ resource: to(ACCOUNT), isResourceClosed: true })).toBe('not-allowed')
    expect(outcome({ resource: to(user.arn), isResourceClosed: true })).toBe('allowed')
  })
})

describe('NotResource and incomplete ARNs', () => {
  test.each([
    [{ Resource: APP }, 'allowed'],
    [{ Resource: `${APP}s` }, 'not-allowed'],
    [{ Resource: ['arn:aws:s3:::b', 'arn:aws:ecr:*:*:repository/a?p'] }, 'allowed'],
    [{ Resource: undefined, NotResource: APP }, 'not-allowed'],
    [{ Resource: undefined, NotResource: `${APP}s` }, 'allowed'],
    [{ Resource: 'arn:aws:ecr' }, 'allowed'],
    [{ Resource: 'arn:aws:s3' }, 'not-allowed'],
    [{ Resource: 'arn:aws:ecr:eu-west-3' }, 'allowed'],
  ] as const)('%p: %s', (resource, expected) =>
    expect(outcome({ identity: [{ ...ALLOW, ...resource }] })).toBe(expected),
  )
})

const variable = (name: string) => `\u0024{${name}}`

describe('policy variables', () => {
  const tagged: Principal = { ...user, tags: [{ key: 'Team', value: 'a*p' }] }
  const may = (Resource: string, world: World = {}) => outcome({ identity: [{ ...ALLOW, Resource }], ...world })
  const repository = (name: string) => `arn:aws:ecr:eu-west-3:${ACCOUNT}:repository/${name}`

  test('stand for what the request has', () => {
    const own = repository(`${variable('aws:username')}/*`)
    expect(may(own, { asked: repository('ann/app') })).toBe('allowed')
    expect(may(own, { asked: repository('bob/app') })).toBe('not-allowed')
    expect(may(repository(variable('AWS:UserName')), { asked: repository('ann') })).toBe('allowed')
  })
  test('are texts in a policy of the old version', () => {
    const own = repository(variable('aws:username'))
    expect(may(own, { asked: repository('ann'), version: '2008-10-17' })).toBe('not-allowed')
    expect(may(own, { asked: own, version: '2008-10-17' })).toBe('allowed')
  })
  test('bring no wildcards along', () => {
    const own = repository(variable('aws:PrincipalTag/team'))
    expect(may(own, { principal: tagged, asked: repository('app') })).toBe('not-allowed')
    expect(may(own, { principal: tagged, asked: repository('a*p') })).toBe('allowed')
  })
  test('without a value match nothing, unless they have a default', () => {
    expect(may(repository(`${variable('aws:PrincipalTag/team')}*`))).toBe('not-allowed')
    expect(may(repository(variable("aws:PrincipalTag/team, 'app'")))).toBe('allowed')
  })
  test('without a value widen no NotResource that allows, and no NotResource that denies is narrower for them', () => {
    const NotResource = repository(variable('aws:PrincipalTag/team'))
    const others = { Resource: undefined, NotResource }
    expect(outcome({ identity: [{ ...ALLOW, ...others }] })).toBe('not-allowed')
    expect(outcome({ identity: [ALLOW, { ...DENY, ...others }] })).toBe('denied')
  })
  test('can be the characters that otherwise mean something', () => {
    const stars = repository(`${variable('*')}${variable('?')}${variable('$')}`)
    expect(may(stars, { asked: repository('*?$') })).toBe('allowed')
    expect(may(stars, { asked: repository('abc') })).toBe('not-allowed')
  })
  test('stand in conditions too; an inverted one is met by what has no value', () => {
    const when = (operator: string) =>
      outcome({
        identity: [{ ...ALLOW, Condition: { [operator]: { 'aws:userid': variable('aws:PrincipalTag/team') } } }],
      })
    expect([when('StringEquals'), when('StringLike')]).toEqual(['not-allowed', 'not-allowed'])
    expect([when('StringNotEquals'), when('StringNotLike')]).toEqual(['allowed', 'allowed'])
    const same = { StringEquals: { 'aws:PrincipalAccount': variable('aws:ResourceAccount') } }
    expect(outcome({ identity: [{ ...ALLOW, Condition: same }] })).toBe('allowed')
  })
})

describe('conditions', () => {
  const at = (sourceIp: string): Principal => ({
    ...user,
    circumstances: { sourceIp, isSecure: false, userAgent: 'docker/28', requestId: '' },
  })
  const RELEASE: Partial<RequestFacts> = { image: { tags: ['v1', 'latest'], digest: 'sha256:a' } }
  test.each<[object, World, boolean]>([
    [{ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } }, { principal: at('10.1.1.1') }, true],
    [{ IpAddress: { 'aws:SourceIp': ['10.0.0.0/8', '2001:db8::/32'] } }, { principal: at('2001:db8::9') }, true],
    [{ IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, { principal: at('192.0.2.1') }, false],
    [{ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, { principal: at('192.0.2.1') }, true],
    [{ NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } }, { principal: at('10.1.1.1') }, false],
    [{ IpAddress: { 'aws:SourceIp': '0.0.0.0/0' } }, {}, false],
    [{ Bool: { 'aws:SecureTransport': 'false' } }, { principal: at('10.1.1.1') }, true],
    [{ StringLike: { 'aws:UserAgent': 'docker/*' } }, { principal: at('10.1.1.1') }, true],
    [{ Bool: { 'aws:MultiFactorAuthPresent': 'false' } }, {}, false],
    [{ BoolIfExists: { 'aws:MultiFactorAuthPresent': 'false' } }, {}, true],
    [{ Bool: { 'aws:MultiFactorAuthPresent': 'false' } }, { principal: role }, true],
    [{ Null: { 'aws:TokenIssueTime': 'true' } }, {}, true],
    [{ DateLessThan: { 'aws:TokenIssueTime': '2026-03-02T07:30:00Z' } }, { principal: role }, true],
    [{ StringEquals: { 'aws:PrincipalType': 'AssumedRole' } }, { principal: role }, true],
    [{ ArnEquals: { 'aws:PrincipalArn': role.identityArn } }, { principal: role }, true],
    [{ StringLike: { 'aws:userid': 'AROACI:*' } }, { principal: role }, true],
    [
      { StringEquals: { 'token.actions.example.com:sub': 'repo:a' } },
      { principal: { ...role, session: session({ facts: { 'token.actions.example.com:sub': 'repo:a' } }) } },
      true,
    ],
    [{ StringEquals: { 'token.actions.example.com:sub': 'repo:a' } }, { principal: role }, false],
    [{ StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } }, {}, false],
    [{ StringEquals: { 'aws:PrincipalOrgID': 'o-a1b2c3d4e5' } }, { facts: { organizationId: 'o-a1b2c3d4e5' } }, true],
    [{ StringEquals: { 'aws:RequestedRegion': 'eu-west-3' } }, { facts: { region: 'eu-west-3' } }, true],
    [{ StringEquals: { 'aws:RequestTag/team': 'a' } }, { facts: { requestTags: [{ key: 'team', value: 'a' }] } }, true],
    [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }, { facts: { tagKeys: ['a'] } }, true],
    [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a', 'b'] } }, { facts: { tagKeys: ['a', 'c'] } }, false],
    [{ 'ForAllValues:StringEquals': { 'aws:TagKeys': ['a'] } }, {}, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['a'] } }, { facts: { tagKeys: ['a', 'c'] } }, true],
    [{ 'ForAnyValue:StringEquals': { 'aws:TagKeys': ['a'] } }, {}, false],
    [{ 'ForAnyValue:StringNotEquals': { 'aws:TagKeys': ['a'] } }, { facts: { tagKeys: ['a', 'c'] } }, true],
    [{ 'ForAllValues:StringNotEquals': { 'aws:TagKeys': ['a'] } }, { facts: { tagKeys: ['a', 'c'] } }, false],
    [{ 'ForAnyValue:StringLike': { 'ecr:ImageTag': 'v*' } }, { facts: RELEASE }, true],
    [{ StringNotLike: { 'ecr:ImageTag': 'v*' } }, { facts: RELEASE }, false],
    [{ Null: { 'ecr:ImageTag': 'true' } }, { facts: { image: { tags: [], digest: 'sha256:a' } } }, true],
    [{ StringEquals: { 'ecr:ImageDigest': 'sha256:a' } }, { facts: RELEASE }, true],
    [{ BinaryEquals: { 'ecr:data': 'QmluYXJ5' } }, { facts: { more: { 'ecr:data': 'QmluYXJ5' } } }, true],
    [{ NumericGreaterThan: { 'ecr:count': '9.5' } }, { facts: { more: { 'ecr:count': '10' } } }, true],
    [{ NumericLessThan: { 'ecr:count': '9' } }, { facts: { more: { 'ecr:count': 'ten' } } }, false],
    [{ StringEquals: { 'ecr:count': 'a' } }, { facts: { more: { 'ecr:count': undefined } } }, false],
    [{ StringNotEquals: { 's3:prefix': 'a' } }, {}, true],
    // What every object has of itself is no fact of the session.
    [{ StringNotEqualsIgnoreCase: { constructor: 'a' } }, { principal: role }, false],
    [JSON.parse('{"StringNotEqualsIgnoreCase":{"__proto__":"a"}}'), { principal: role }, false],
    [{ DateGreaterThan: { 'aws:CurrentTime': '1772438399' } }, {}, true],
    [{ DateNotEquals: { 'aws:CurrentTime': '2026-03-02T08:00:00Z' } }, {}, false],
  ])('%j with %j: %p', (Condition, world, isMet) => {
    expect(outcome({ ...world, identity: [{ ...ALLOW, Condition }] })).toBe(isMet ? 'allowed' : 'not-allowed')
  })
})

test.each<[string, string, boolean]>([
  ['iam:getrole', 'iam:PassedToService', true],
  ['iam:putuserpolicy', 'iam:PermissionsBoundary', true],
  ['iam:getuser', 'iam:PolicyARN', true],
  ['sts:assumerole', 'sts:ExternalId', true],
  ['kms:encrypt', 'kms:EncryptionContext:app', true],
  ['kms:encrypt', 'kms:EncryptionContext:', false],
  ['iam:getuser', 'iam:NobodyKnows', false],
])('in a request of %s that does not say so, %s is absent: %p', (action, key, isAbsent) => {
  const any = { Effect: 'Allow', Action: '*', Resource: '*' }
  const when = (Effect: string) => [any, { ...any, Effect, Condition: { StringEquals: { [key]: 'x' } } }]
  const may = (identity: readonly object[]) => outcome({ identity, facts: { action } })
  expect(may([{ ...any, Condition: { StringEqualsIfExists: { [key]: 'x' } } }])).toBe(
    isAbsent ? 'allowed' : 'not-allowed',
  )
  expect(may(when('Deny'))).toBe(isAbsent ? 'allowed' : 'denied')
})

describe('the reason', () => {
  const why = (world: World) => reasonOf(decided(world), 'ecr:PutImage')
  test.each<[World, string]>([
    [{}, 'because no identity-based policy allows the ecr:PutImage action'],
    [{ identity: [DENY] }, 'with an explicit deny in an identity-based policy'],
    [{ resource: [{ ...DENY, Principal: '*' }] }, 'with an explicit deny in a resource-based policy'],
    [{ identity: [ALLOW], boundary: [READ] }, 'because no permissions boundary allows the ecr:PutImage action'],
    [{ identity: [ALLOW], boundary: [DENY] }, 'with an explicit deny in a permissions boundary'],
    [{ identity: [ALLOW], session: [READ] }, 'because no session policy allows the ecr:PutImage action'],
    [{ identity: [ALLOW], session: [DENY] }, 'with an explicit deny in a session policy'],
    [
      { principal: userOf(GUESTS), identity: [ALLOW] },
      'because no resource-based policy allows the ecr:PutImage action',
    ],
  ])('%j: %s', (world, sentence) => expect(why(world)).toBe(sentence))

  test('names the statement and its policy', () => {
    const { policy, statement } = decided({ identity: [ALLOW, { ...DENY, Sid: 'Never' }] })
    expect([policy, statement?.sid, statement?.index]).toEqual(['mine', 'Never', 1])
  })
})
