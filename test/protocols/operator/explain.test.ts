import { afterAll, beforeAll, expect, test } from 'bun:test'
import type { AccessReport } from '../../../src/domain/iam/access-report.ts'
import { createUser, policyText, type TestUser } from '../../support/iam-user.ts'
import { admin, createServices, refTo, registry, type Services } from '../../support/service-fixture.ts'
import { askOperator } from './operator-fixture.ts'

const APP = `arn:aws:ecr:eu-west-3:${registry.registryId}:repository/app`
let services: Services
let user: TestUser

beforeAll(async () => {
  services = await createServices({ access: {} })
  user = await createUser(services.metadata, registry.registryId, 'ci')
  await services.repositories.create(admin, refTo('app'))
  await user.may(
    { Sid: 'Pull', Effect: 'Allow', Action: 'ecr:BatchGetImage', Resource: '*' },
    {
      Effect: 'Deny',
      Action: 'ecr:*',
      Resource: '*',
      Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } },
    },
  )
  const allowance = { Effect: 'Allow', Principal: { AWS: user.principal.arn }, Action: 'ecr:PutImage' }
  await services.policies.setOfRepository(admin, refTo('app'), policyText(allowance), false)
})
afterAll(() => services.close())

async function explain(query: Readonly<Record<string, string>>) {
  const asked = { principal: user.principal.arn, resource: APP, ...query }
  const { status, body } = await askOperator(services, `/_ecru/iam/explain?${new URLSearchParams(asked)}`)
  return { status, report: body as Readonly<Record<string, unknown>> & AccessReport }
}

test('the path to an allowance is shown', async () => {
  const { report } = await explain({ action: 'ecr:PutImage', 'aws:SourceIp': '10.1.2.3' })
  expect(report).toEqual({
    principal: user.principal.arn,
    action: 'ecr:PutImage',
    resource: APP,
    outcome: 'allowed',
    reason: "Allowed by a policy: statement #1 of 'repository policy of app'.",
    statements: [
      { kind: 'identity', policy: 'test', statement: 'Pull', effect: 'Allow', outcome: 'is about other actions' },
      {
        kind: 'identity',
        policy: 'test',
        statement: '#2',
        effect: 'Deny',
        outcome: 'a condition is not met: NotIpAddress aws:SourceIp 10.0.0.0/8 (it is 10.1.2.3)',
      },
      {
        kind: 'resource',
        policy: 'repository policy of app',
        statement: '#1',
        effect: 'Allow',
        outcome: 'applies',
      },
    ],
  })
})

test('the reason of a denial is named', async () => {
  const denied = await explain({ action: 'ecr:BatchGetImage' })
  expect(denied.report.reason).toBe("Denied with an explicit deny in an identity-based policy: statement #2 of 'test'.")
  const missing = await explain({ action: 'ecr:DeleteRepository', 'aws:SourceIp': '10.1.2.3' })
  expect(missing.report.reason).toBe('Denied because no identity-based policy allows the ecr:DeleteRepository action.')
  const root = await explain({ principal: registry.registryId, action: 'ecr:DeleteRepository' })
  expect(root.report.reason).toBe('Allowed: an administrator in his own account.')
})

test('who or what cannot be is refused', async () => {
  for (const query of [
    { action: 'PutImage' },
    { action: 'ecr:PutImage', principal: 'ci' },
    { action: 'ecr:PutImage', principal: `arn:aws:iam::${registry.registryId}:user/nobody` },
    { action: 'ecr:PutImage', principal: `arn:aws:iam::${registry.registryId}:role/nobody` },
  ])
    expect((await explain(query)).status).toBe(400)
})
