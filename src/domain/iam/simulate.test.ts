import { describe, expect, test } from 'bun:test'
import { parseRegistryId } from '../names.ts'
import { userPrincipal } from '../principal.ts'
import { parseIdentityPolicy, parseResourcePolicy, parseTrustPolicy, policySize } from './iam-policies.ts'
import { type Question, simulate } from './simulate.ts'

const ACCOUNT = parseRegistryId('123456789012')
const APP = `arn:aws:ecr:eu-west-3:${ACCOUNT}:repository/app`
const question = (more: Partial<Question> = {}): Question => ({
  caller: userPrincipal(ACCOUNT, `arn:aws:iam::${ACCOUNT}:user/ann`, 'AIDAANN', ''),
  action: 'ecr:PutImage',
  resource: APP,
  context: new Map(),
  now: new Date('2026-03-02T08:00:00Z'),
  ...more,
})
const text = (...statements: object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })
const named = (name: string, ...statements: object[]) => ({ name, policy: parseIdentityPolicy(text(...statements)) })
const ALLOW = { Effect: 'Allow', Action: 'ecr:*', Resource: '*' }

describe('a simulation', () => {
  test('answers what would be decided, with the statements', () => {
    const identity = [named('push', ALLOW), named('never', { ...ALLOW, Effect: 'Deny', Action: 'ecr:Delete*' })]
    expect(simulate({ identity }, question())).toMatchObject({ outcome: 'allowed', matched: [{ policy: 'push' }] })
    const denied = simulate({ identity }, question({ action: 'ECR:deleteRepository' }))
    expect(denied).toMatchObject({ outcome: 'explicitDeny', matched: [{ policy: 'never' }] })
    expect(simulate({ identity }, question({ action: 's3:GetObject' }))).toMatchObject({
      outcome: 'implicitDeny',
      matched: [],
    })
  })

  test('names the keys that nobody gave, and takes those that somebody did', () => {
    const office = { ...ALLOW, Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }
    const identity = [named('office', office)]
    expect(simulate({ identity }, question())).toMatchObject({
      outcome: 'implicitDeny',
      missingContextKeys: ['aws:SourceIp'],
    })
    const context = new Map([['aws:sourceip', ['10.1.1.1']]])
    expect(simulate({ identity }, question({ context }))).toMatchObject({ outcome: 'allowed', missingContextKeys: [] })
  })

  test('knows boundaries and the policies of resources', () => {
    const boundary = named('boundary', { ...ALLOW, Action: 'ecr:Get*' })
    expect(simulate({ identity: [named('push', ALLOW)], boundary }, question())).toMatchObject({
      outcome: 'implicitDeny',
      isAllowedByBoundary: false,
    })
    const policy = parseResourcePolicy(text({ ...ALLOW, Principal: { AWS: `arn:aws:iam::${ACCOUNT}:user/ann` } }))
    expect(simulate({ identity: [], resource: { name: 'its own', policy } }, question()).outcome).toBe('allowed')
  })
})

describe('what IAM says of a text that is no policy', () => {
  test.each<[string, string]>([
    ['{', 'This policy contains invalid Json'],
    [JSON.stringify({ Version: '2013-01-01', Statement: ALLOW }), 'The policy must contain a valid version string.'],
    [text({ ...ALLOW, Principal: '*' }), 'Policy document should not specify a principal.'],
    [text({ ...ALLOW, Action: undefined }), 'Policy statement must contain actions.'],
    [text({ ...ALLOW, Resource: undefined }), 'Policy statement must contain resources.'],
    [text({ ...ALLOW, Resource: 'app' }), 'Resource app must be in ARN format or "*".'],
    [
      text({ ...ALLOW, Action: 'PutImage' }),
      'Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc.',
    ],
    [text({ ...ALLOW, Sid: 'a' }, { ...ALLOW, Sid: 'a' }), 'Statement IDs (SID) in a single policy must be unique.'],
    [text({ ...ALLOW, Condition: { StringSame: { 'aws:userid': 'a' } } }), 'Invalid Condition type : stringsame.'],
    [text({ ...ALLOW, Resource: 'arn:aws:ecr:\u0024{aws:username' }), 'The policy contains invalid variables.'],
    [text(), 'Syntax errors in policy.'],
  ])('%s: %s', (given, message) => expect(() => parseIdentityPolicy(given)).toThrow(message))

  test('a trust policy names principals, actions of STS, and no resource', () => {
    const trust = { Effect: 'Allow', Principal: { AWS: ACCOUNT }, Action: 'sts:AssumeRole' }
    const issuer = { Federated: `arn:aws:iam::${ACCOUNT}:oidc-provider/token.actions.githubusercontent.com` }
    parseTrustPolicy(text(trust, { ...trust, Principal: issuer, Action: 'sts:AssumeRoleWithWebIdentity' }))
    for (const [wrong, message] of [
      [{ ...trust, Principal: undefined }, 'Missing required field Principal'],
      [{ ...trust, Resource: '*' }, 'Has prohibited field Resource'],
      [{ ...trust, Action: 'ecr:PutImage' }, 'AssumeRole policy may only specify STS AssumeRole actions.'],
      [{ ...trust, Principal: { AWS: 'nobody' } }, 'Invalid principal in policy: "AWS":"nobody"'],
    ] as const)
      expect(() => parseTrustPolicy(text(wrong))).toThrow(message)
  })

  test('white space does not count', () => expect(policySize(' { "a" :\n1 } ')).toBe(7))
})
