import { describe, expect, test } from 'bun:test'
import { parseRegion, parseRegistryId } from '../names.ts'
import { type Principal, rootPrincipal, userPrincipal } from '../principal.ts'
import type { ResourceTag } from '../repository.ts'
import { actionKey } from './actions.ts'
import { type AccessRequest, decide } from './evaluate.ts'
import { factsOf } from './facts.ts'
import { parseRegistryPolicy, parseRepositoryPolicy } from './parse.ts'
import type { Policy } from './policy.ts'

const OWNER = parseRegistryId('123456789012')
const registry = { registryId: OWNER, region: parseRegion('eu-west-3') }
const NOW = new Date('2026-03-02T08:00:00.000Z')

const rootOf = (account: string): Principal =>
  rootPrincipal(parseRegistryId(account), `arn:aws:iam::${account}:root`, 'AKIA')
const owner = rootOf(OWNER)
const guest = rootOf('999999999999')
const ann = userPrincipal(guest.accountId, 'arn:aws:iam::999999999999:user/people/ann', 'AIDAANN', 'AKIA')

interface Asked {
  readonly principal?: Principal
  readonly action?: string
  readonly resource?: string
  readonly tags?: readonly ResourceTag[]
  readonly isRegistryPolicy?: boolean
}

/** What is decided about somebody whom no policy of an identity describes. */
function outcomeOf(request: AccessRequest, policies: readonly Policy[]) {
  const resource = policies.map((policy) => ({ name: 'policy', policy }))
  return decide(request, { identity: 'everything', resource }).outcome
}

/** What is decided when a policy holds these statements; the guest pulls unless it says otherwise. */
function decided(statements: object | readonly object[], asked: Asked = {}) {
  const { principal = guest, action = 'BatchGetImage', tags = [], isRegistryPolicy = false } = asked
  const { resource = 'arn:aws:ecr:eu-west-3:123456789012:repository/team/app' } = asked
  const text = JSON.stringify({ Version: '2012-10-17', Statement: statements })
  const policy = isRegistryPolicy ? parseRegistryPolicy(text, registry, 'V2') : parseRepositoryPolicy(text)
  const facts = factsOf({ principal, action: actionKey(action), ownerAccountId: OWNER, now: NOW, resourceTags: tags })
  return outcomeOf({ principal, action: actionKey(action), resource, ownerAccountId: OWNER, facts }, [policy])
}

const allow = (more: object = {}) => ({ Effect: 'Allow', Principal: '*', Action: 'ecr:*', ...more })
const deny = (more: object = {}) => ({ Effect: 'Deny', Principal: '*', Action: 'ecr:*', ...more })
const when = (condition: object) => ({ Condition: condition })

describe('who', () => {
  test('without a policy an account has its own alone', () => {
    const ask = (principal: Principal) => {
      const action = actionKey('PutImage')
      const facts = factsOf({ principal, action, ownerAccountId: OWNER, now: NOW, resourceTags: [] })
      return outcomeOf({ principal, action, resource: '*', ownerAccountId: OWNER, facts }, [])
    }
    expect([ask(owner), ask(guest)]).toEqual(['allowed', 'not-allowed'])
  })

  test('an allowance lets another account in, and says nothing about its owner', () => {
    const toGuest = allow({ Principal: { AWS: '999999999999' } })
    expect(decided(toGuest)).toBe('allowed')
    expect(decided(toGuest, { principal: ann })).toBe('allowed')
    expect(decided(toGuest, { principal: rootOf('111122223333') })).toBe('not-allowed')
    expect(decided(toGuest, { principal: owner })).toBe('allowed')
  })

  test('a user is named by his ARN', () => {
    const toAnn = allow({ Principal: { AWS: ann.arn } })
    expect([decided(toAnn, { principal: ann }), decided(toAnn)]).toEqual(['allowed', 'not-allowed'])
  })

  test('a service is nobody who calls', () => {
    expect(decided(allow({ Principal: { Service: 'lambda.amazonaws.com' } }))).toBe('not-allowed')
  })

  test('a denial wins over every allowance, also for the owner', () => {
    expect(decided([allow(), deny({ Principal: { AWS: '999999999999' } })])).toBe('denied')
    expect(decided(deny(), { principal: owner })).toBe('denied')
  })

  test('NotPrincipal spares those who are listed with their account', () => {
    const spared = (...names: string[]) => [allow(), deny({ Principal: undefined, NotPrincipal: { AWS: names } })]
    expect(decided(spared('999999999999'))).toBe('allowed')
    expect(decided(spared('999999999999'), { principal: ann })).toBe('denied')
    expect(decided(spared('999999999999', ann.arn), { principal: ann })).toBe('allowed')
    expect(decided(spared('111122223333'))).toBe('denied')
  })
})

describe('what', () => {
  test.each([
    ['ecr:BatchGetImage', 'allowed'],
    ['ECR:batchgetimage', 'allowed'],
    ['ecr:BatchGet*', 'allowed'],
    ['ecr:?atchGetImage', 'allowed'],
    ['ecr:PutImage', 'not-allowed'],
  ] as const)('%p allows a pull: %p', (Action, outcome) => expect(decided(allow({ Action }))).toBe(outcome))

  test('NotAction is about all others', () => {
    const others = allow({ Action: undefined, NotAction: ['ecr:Put*'] })
    expect([decided(others), decided(others, { action: 'PutImage' })]).toEqual(['allowed', 'not-allowed'])
  })

  test('a registry policy is about the repositories it names', () => {
    const team = 'arn:aws:ecr:eu-west-3:123456789012:repository/team/*'
    const isRegistryPolicy = true
    expect(decided(allow({ Resource: team }), { isRegistryPolicy })).toBe('allowed')
    const elsewhere = { isRegistryPolicy, resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/other' }
    expect(decided(allow({ Resource: team }), elsewhere)).toBe('not-allowed')
    expect(decided(allow({ NotResource: team }), elsewhere)).toBe('allowed')
    const listing = { isRegistryPolicy, resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/*' }
    expect(decided(allow({ Resource: team }), listing)).toBe('not-allowed')
    expect(decided(allow({ Resource: '*' }), listing)).toBe('allowed')
  })
})

describe('when', () => {
  test.each([
    ['StringEquals', { 'aws:PrincipalAccount': ['1', '999999999999'] }, true],
    ['StringEquals', { 'AWS:principalACCOUNT': '1' }, false],
    ['StringNotEquals', { 'aws:PrincipalAccount': ['1', '999999999999'] }, false],
    ['StringNotEquals', { 'aws:PrincipalAccount': ['1', '2'] }, true],
    ['StringEqualsIgnoreCase', { 'aws:PrincipalType': 'ACCOUNT' }, true],
    ['StringLike', { 'aws:PrincipalArn': 'arn:aws:iam::9*:root' }, true],
    ['StringNotLike', { 'aws:PrincipalArn': 'arn:aws:iam::9*:root' }, false],
    ['ArnLike', { 'aws:PrincipalArn': 'arn:aws:iam::*:root' }, true],
    ['ArnNotEquals', { 'aws:PrincipalArn': 'arn:aws:iam::1*:root' }, true],
    ['Null', { 'aws:username': true }, true],
    ['Null', { 'aws:PrincipalArn': 'true' }, false],
    ['StringEquals', { 'aws:username': 'ann' }, false],
    ['StringEqualsIfExists', { 'aws:username': 'ann' }, true],
    ['StringNotEquals', { 'aws:username': 'ann' }, true],
    ['ForAnyValue:StringNotEquals', { 'aws:username': 'ann' }, false],
    ['ForAllValues:StringEquals', { 'aws:username': 'ann' }, true],
    ['DateGreaterThan', { 'aws:CurrentTime': '2026-03-02T07:59:59Z' }, true],
    ['DateLessThan', { 'aws:CurrentTime': '2026-03-02T07:59:59Z' }, false],
    ['NumericLessThanEquals', { 'aws:EpochTime': 1772438400 }, true],
    ['Bool', { 'aws:ViaAWSService': false }, true],
    ['StringEquals', { 'ecr:ResourceTag/Team': 'red' }, true],
    ['StringEquals', { 'aws:ResourceTag/team': 'blue' }, false],
  ] as const)('%s %p: %p', (operator, keys, isTrue) => {
    const tags = [{ key: 'team', value: 'red' }]
    expect(decided(allow(when({ [operator]: keys })), { tags })).toBe(isTrue ? 'allowed' : 'not-allowed')
    expect(decided([allow(), deny(when({ [operator]: keys }))], { tags })).toBe(isTrue ? 'denied' : 'allowed')
  })

  test('all conditions must hold', () => {
    const both = { StringEquals: { 'aws:PrincipalAccount': '999999999999', 'aws:PrincipalType': 'User' } }
    expect(decided(allow(when(both)))).toBe('not-allowed')
    expect(decided(allow(when(both)), { principal: ann })).toBe('allowed')
  })

  test.each([
    { StringNotEquals: { 'aws:PrincipalOrgID': 'o-1' } },
    { StringNotEquals: { 'aws:PrincipalOrgPaths': 'o-1/*' } },
    { StringNotEquals: { 'aws:NobodyKnows': 'a' } },
    { StringNotEquals: { 'ecr:NobodyKnows': 'a' } },
    { Null: { 'aws:NobodyKnows': 'true' } },
    { StringNotLike: { 'aws:PrincipalArn': '\u0024{aws:NobodyKnows}' } },
    { ArnLike: { 'aws:PrincipalArn': 'arn:*:root' } },
    { ArnNotLike: { 'aws:PrincipalArn': 'arn:*:root' } },
    { ArnEquals: { 'aws:PrincipalArn': ['*'] } },
    { ArnNotEquals: { 'aws:PrincipalArn': '\u0024{aws:PrincipalAccount}' } },
  ])('what cannot be judged allows nobody and denies everybody: %p', (condition) => {
    expect(decided(allow(when(condition)))).toBe('not-allowed')
    expect(decided([allow(), deny(when(condition))])).toBe('denied')
  })

  test('a condition that does not hold ends it, whatever the others are', () => {
    const condition = { StringLike: { 'aws:NobodyKnows': '*' }, StringEquals: { 'aws:PrincipalAccount': '1' } }
    expect(decided([allow(), deny(when(condition))])).toBe('allowed')
  })

  test('a tag whose key is there in two cases cannot be judged', () => {
    const tags = [
      { key: 'team', value: 'red' },
      { key: 'Team', value: 'blue' },
    ]
    expect(decided(allow(when({ StringEquals: { 'ecr:ResourceTag/team': 'red' } })), { tags })).toBe('not-allowed')
  })
})
