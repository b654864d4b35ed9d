import { describe, expect, test } from 'bun:test'
import { isRegistryError } from '../errors.ts'
import { parseRegion, parseRegistryId } from '../names.ts'
import { parseRegistryPolicy, parseRepositoryPolicy } from './parse.ts'

const registry = { registryId: parseRegistryId('123456789012'), region: parseRegion('eu-west-3') }

const GOOD = { Effect: 'Allow', Principal: '*', Action: 'ecr:BatchGetImage' } as const
const policy = (statement: unknown, more: object = {}) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statement, ...more })

/** Why a text is refused; `undefined` when it is not. */
function reasonOf(parse: () => unknown): unknown {
  try {
    parse()
    return undefined
  } catch (thrown) {
    if (isRegistryError(thrown, 'invalid-parameter')) return thrown.details.reason
    throw thrown
  }
}

describe('a repository policy', () => {
  const reason = (text: string) => reasonOf(() => parseRepositoryPolicy(text))
  const REFUSED = 'Invalid repository policy provided'

  test.each([
    ['one statement, without a list', policy(GOOD)],
    [
      'a list of statements with the same Sid',
      policy([
        { ...GOOD, Sid: 'a b' },
        { ...GOOD, Sid: 'a b' },
      ]),
    ],
    ['the old version', policy(GOOD, { Version: '2008-10-17', Id: 'x' })],
    ['no version', JSON.stringify({ Statement: [GOOD] })],
    [
      'accounts by id and by ARN',
      policy({ ...GOOD, Principal: { AWS: ['111122223333', 'arn:aws:iam::111122223333:root'] } }),
    ],
    [
      'users, roles and sessions',
      policy({
        ...GOOD,
        Principal: {
          AWS: [
            'arn:aws:iam::111122223333:user/a/b',
            'arn:aws:iam::111122223333:role/c',
            'arn:aws:sts::111122223333:assumed-role/c/s',
          ],
        },
      }),
    ],
    ['services', policy({ ...GOOD, Principal: { Service: ['lambda.amazonaws.com', 'codebuild.amazonaws.com'] } })],
    ['all actions', policy({ ...GOOD, Action: ['ecr:*', 'ECR:describe*', '*'] })],
    ['other actions', policy({ ...GOOD, NotAction: 'ecr:BatchGetImage', Action: undefined })],
    [
      'conditions',
      policy({
        ...GOOD,
        Condition: { StringLike: { 'aws:PrincipalArn': ['a', 'b*'] }, Bool: { 'aws:SecureTransport': false } },
      }),
    ],
    ['everyone denied but some', policy({ Effect: 'Deny', NotPrincipal: { AWS: '111122223333' }, Action: 'ecr:*' })],
  ])('may have %s', (_, text) => expect(reason(text)).toBeUndefined())

  test.each([
    ['nothing', ''],
    ['no JSON', '{'],
    ['a list', '[]'],
    ['a key twice', '{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}'],
    ['no statement', policy([])],
    ['no Statement', JSON.stringify({ Version: '2012-10-17' })],
    ['another version', policy(GOOD, { Version: '2012-10-18' })],
    ['a version that is no text', policy(GOOD, { Version: 1 })],
    ['another member', policy(GOOD, { Extra: 1 })],
    ['another member in a statement', policy({ ...GOOD, Resources: '*' })],
    ['an effect in lower case', policy({ ...GOOD, Effect: 'allow' })],
    ['no principal', policy({ ...GOOD, Principal: undefined })],
    ['an empty principal', policy({ ...GOOD, Principal: {} })],
    ['no principals', policy({ ...GOOD, Principal: { AWS: [] } })],
    ['another kind of principal', policy({ ...GOOD, Principal: { Federated: 'x' } })],
    ['Allow with NotPrincipal', policy({ ...GOOD, Principal: undefined, NotPrincipal: { AWS: '111122223333' } })],
    ['both kinds of Action', policy({ ...GOOD, NotAction: 'ecr:*' })],
    ['an unknown action', policy({ ...GOOD, Action: 'ecr:PullImage' })],
    ['an action of another service', policy({ ...GOOD, Action: 's3:GetObject' })],
    ['an action on the registry', policy({ ...GOOD, Action: 'ecr:GetAuthorizationToken' })],
    ['a pattern of no action', policy({ ...GOOD, Action: 'ecr:Foo*' })],
    ['a resource', policy({ ...GOOD, Resource: '*' })],
    ['an unknown operator', policy({ ...GOOD, Condition: { StringSame: { 'aws:PrincipalArn': 'a' } } })],
    ['an operator that every object has', policy({ ...GOOD, Condition: { constructor: { 'aws:PrincipalArn': 'a' } } })],
    [
      'one with values of its own',
      `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"ecr:*","Condition":{"ForAnyValue:__proto__":{"a":"b"}}}}`,
    ],
    ['a condition without values', policy({ ...GOOD, Condition: { StringEquals: { 'aws:PrincipalArn': [] } } })],
    ['a number that is none', policy({ ...GOOD, Condition: { NumericEquals: { 'aws:EpochTime': 'soon' } } })],
  ])('has not %s', (_, text) => expect(reason(text)).toBe(REFUSED))

  test.each(['me', 'AIDAEXAMPLE', 'arn:aws:iam::1:root', 'arn:aws:iam::*:root', 'arn:aws:iam::111122223333:group/a'])(
    'names nobody like %p',
    (name) => expect(reason(policy({ ...GOOD, Principal: { AWS: name } }))).toBe('Principal not found'),
  )
})

describe('a registry policy', () => {
  const reason = (text: string, scope: 'V1' | 'V2' = 'V2') => reasonOf(() => parseRegistryPolicy(text, registry, scope))
  const REFUSED = 'Invalid registry policy provided'
  const REPLICATE = {
    ...GOOD,
    Action: 'ecr:ReplicateImage',
    Resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/*',
  }

  test.each([
    '*',
    'arn:aws:ecr:*:123456789012:repository/team/*',
    'arn:aws:ecr:eu-west-3:123456789012:*',
    'arn:aws:ecr:eu-west-3:123456789012:repository/\u0024{aws:username}',
  ])('may be about %p', (Resource) => expect(reason(policy({ ...REPLICATE, Resource }))).toBeUndefined())

  test.each([
    undefined,
    '',
    'arn:aws:ecr:eu-west-3:999999999999:repository/*',
    'arn:aws:ecr:us-east-1:123456789012:repository/*',
    'arn:aws:ecr:eu-west-3:123456789012:repository/',
    'arn:aws:s3:::bucket',
    'repository/*',
    'arn:aws:ecr:eu-west-3:123456789012:repository/\u0024{aws:',
  ])('is not about %p', (Resource) => expect(reason(policy({ ...REPLICATE, Resource }))).toBe(REFUSED))

  test('has the version of today', () => {
    expect(reason(policy(REPLICATE, { Version: '2008-10-17' }))).toBe(REFUSED)
    expect(reason(JSON.stringify({ Statement: REPLICATE }))).toBe(REFUSED)
  })

  test('speaks of three actions in scope V1, and of all in V2', () => {
    const pull = policy({ ...REPLICATE, Action: 'ecr:BatchGetImage' })
    expect([reason(pull, 'V1'), reason(pull, 'V2')]).toEqual([REFUSED, undefined])
    expect(
      reason(policy({ ...REPLICATE, Action: ['ecr:ReplicateImage', 'ecr:CreateRepository'] }), 'V1'),
    ).toBeUndefined()
  })
})
