import { afterEach, beforeEach, expect, test } from 'bun:test'
import { Policies } from '../../src/services/access/policies.ts'
import { newEntity } from '../suites/metadata-store-iam.ts'
import { admin, createServices, refTo, registry, type Services } from '../support/service-fixture.ts'

const ref = refTo('app')
const ACCOUNT = registry.registryId
let services: Services
let strict: Policies

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
  strict = new Policies(services.metadata, services.access, true)
  const add = (kind: 'user' | 'role', name: string, path: string) =>
    services.metadata.transact((tx) => tx.iam.insert({ ...newEntity(kind, name), accountId: ACCOUNT, path }))
  await add('user', 'alice', '/')
  await add('role', 'deploy', '/ci/')
})
afterEach(() => services.close())

const policyOf = (arn: string, resource?: string) =>
  JSON.stringify({
    Version: '2012-10-17',
    Statement: [{ Effect: 'Allow', Principal: { AWS: arn }, Action: 'ecr:BatchGetImage', Resource: resource }],
  })
const inRegistry = (arn: string) => policyOf(arn, `arn:aws:ecr:${registry.region}:${ACCOUNT}:repository/*`)

const there = [
  '*',
  ACCOUNT,
  '999999999999',
  'arn:aws:iam::999999999999:root',
  `arn:aws:iam::${ACCOUNT}:user/alice`,
  `arn:aws:iam::${ACCOUNT}:role/ci/deploy`,
  `arn:aws:sts::${ACCOUNT}:assumed-role/deploy/run-1`,
  `arn:aws:sts::${ACCOUNT}:federated-user/bob`,
]
const absent = [
  `arn:aws:iam::${ACCOUNT}:user/bob`,
  `arn:aws:iam::${ACCOUNT}:user/Alice`,
  `arn:aws:iam::${ACCOUNT}:user/ci/alice`,
  `arn:aws:iam::${ACCOUNT}:role/deploy`,
  `arn:aws:iam::${ACCOUNT}:role/alice`,
  'arn:aws:iam::999999999999:user/alice',
  `arn:aws:sts::${ACCOUNT}:assumed-role/release/run-1`,
]
const NOT_FOUND = "Invalid parameter at 'PolicyText' failed to satisfy constraint: 'Principal not found'"

test.each(there)('a policy may name %s', async (arn) => {
  await strict.setOfRepository(admin, ref, policyOf(arn), false)
  await strict.putOfRegistry(admin, registry, inRegistry(arn))
})

test.each(absent)('a policy that names %s is refused as ECR does, and nothing is kept', async (arn) => {
  await expect(strict.setOfRepository(admin, ref, policyOf(arn), false)).rejects.toThrow(NOT_FOUND)
  await expect(strict.putOfRegistry(admin, registry, inRegistry(arn))).rejects.toThrow(NOT_FOUND)
  await expect(strict.getOfRepository(admin, ref)).rejects.toThrow('does not exist')
  await expect(strict.getOfRegistry(admin, registry)).rejects.toThrow('does not exist')
})

test.each(absent)('and taken where principals need not be there: %s', async (arn) => {
  await services.policies.setOfRepository(admin, ref, policyOf(arn), false)
  await services.policies.putOfRegistry(admin, registry, inRegistry(arn))
})
