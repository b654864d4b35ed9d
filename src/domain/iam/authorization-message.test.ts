import { expect, test } from 'bun:test'
import { parseRegistryId } from '../names.ts'
import { NOWHERE, userPrincipal } from '../principal.ts'
import { authorizationMessage, type RefusedRequest, readerOf } from './authorization-message.ts'
import { type AccessRequest, decide } from './evaluate.ts'
import { factsOf } from './facts.ts'
import { parseIdentityPolicy } from './iam-policies.ts'

const account = parseRegistryId('123456789012')
const principal = {
  ...userPrincipal(account, `arn:aws:iam::${account}:user/ci`, 'AIDAEXAMPLE', 'AKIA'),
  circumstances: { ...NOWHERE, sourceIp: '10.1.2.3' },
}

function refused(ownerAccountId: string, statement: object, resource = 'arn:aws:ecr:eu-west-3:1:repository/app') {
  const policy = parseIdentityPolicy(JSON.stringify({ Version: '2012-10-17', Statement: statement }))
  const action = 'ecr:putimage'
  const facts = factsOf({ principal, action, ownerAccountId, now: new Date(0), resourceTags: [] })
  const request: AccessRequest = { principal, action, resource, ownerAccountId, facts }
  const policies = { identity: [{ name: 'own', policy }], resource: [] }
  return { decision: decide(request, policies), request, action: 'ecr:PutImage', policies } satisfies RefusedRequest
}

const DENY = {
  Sid: 'No',
  Effect: 'Deny',
  NotAction: 'ecr:Get*',
  Resource: ['*'],
  Condition: { Bool: { 'aws:X': true } },
}

test('inverted members are told by their own names', () => {
  const message: unknown = JSON.parse(authorizationMessage(refused(account, DENY), 4096))
  expect(message).toMatchObject({
    explicitDeny: true,
    matchedStatements: { items: [{ actions: { items: [] }, notActions: { items: [{ value: 'ecr:Get*' }] } }] },
  })
})

test('what does not fit is left out, the least telling first', () => {
  const many = Array.from({ length: 200 }, (_, index) => `arn:aws:ecr:*:*:repository/team-${index}`)
  const message = (bytesMax: number, resource?: string) =>
    JSON.parse(authorizationMessage(refused(account, { ...DENY, Resource: [...many, '*'] }, resource), bytesMax))
  expect(message(1500)).toMatchObject({
    matchedStatements: { items: [{ statementId: 'No', resources: { items: [] } }] },
    context: { conditions: { items: expect.arrayContaining([expect.objectContaining({ key: 'aws:SourceIp' })]) } },
  })
  expect(message(700)).toMatchObject({ context: { action: 'ecr:PutImage', conditions: { items: [] } } })
  expect(message(700, 'é'.repeat(400))).toEqual({ allowed: false, explicitDeny: true })
})

test('the reader is the account whose policies refused', () => {
  const other = '999999999999'
  const byIdentity = refused(other, DENY)
  expect(readerOf(byIdentity)).toBe(account)
  expect(readerOf({ ...byIdentity, decision: { outcome: 'not-allowed', by: 'resource' } })).toBe(other)
})
