import { afterEach, beforeEach, expect, test } from 'bun:test'
import { identityPoliciesOf } from '../../../src/services/iam/identity-policies.ts'
import { openMemoryMetadata } from '../../../src/stores/metadata/sqlite.ts'
import type { MetadataStore } from '../../../src/stores/metadata.ts'
import { newEntity } from '../../suites/metadata-store-iam.ts'
import { minute } from '../../suites/metadata-store-records.ts'
import { testMasterKey } from '../../support/test-master-key.ts'

const READ_ONLY = 'arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly'

let metadata: MetadataStore

beforeEach(async () => {
  metadata = await openMemoryMetadata(testMasterKey)
})

afterEach(() => metadata.close())

async function addUser(attached: readonly string[], boundaryArn?: string) {
  return metadata.transact(async ({ iam }) => {
    const user = await iam.insert({ ...newEntity('user', 'Alice'), path: '/team/', boundaryArn })
    if (user === undefined) throw new Error('the name was free')
    for (const arn of attached) await iam.attach(user, arn)
    await iam.putInline(user.id, { name: 'own', text: 'inline text' })
    return { user, arn: `arn:aws:iam::${user.accountId}:user/team/Alice` }
  })
}

test('managed policies come as the text of their default version, those of AWS too', async () => {
  const policyArn = `arn:aws:iam::${newEntity('policy', 'p').accountId}:policy/p`
  await metadata.transact(async ({ iam }) => {
    const given = newEntity('policy', 'p')
    const policy = await iam.insert({ ...given, attributes: { ...given.attributes, defaultVersion: 2 } })
    for (const number of [1, 2, 3])
      await iam.insertVersion(policy?.id ?? 0, { number, text: `text ${number}`, createdAt: minute(1) })
  })
  const { user, arn } = await addUser([READ_ONLY, policyArn], policyArn)
  const policies = await identityPoliciesOf(metadata, arn)
  expect(policies).toEqual({
    ...{ arn, kind: 'user', uniqueId: user.uniqueId, createdAt: user.createdAt, tags: [] },
    inline: [{ name: 'own', text: 'inline text' }],
    managed: [
      { arn: policyArn, text: 'text 2' },
      { arn: READ_ONLY, text: expect.stringContaining('ecr:BatchGetImage') },
    ],
    boundary: { arn: policyArn, text: 'text 2' },
  })
  expect(await identityPoliciesOf(metadata, user.uniqueId)).toEqual(policies)
})

test.each([
  'arn:aws:iam::123456789012:user/Alice',
  'arn:aws:iam::123456789012:user/team/alice',
  'arn:aws:iam::123456789012:role/team/Alice',
  'arn:aws:iam::999999999999:user/team/Alice',
  'arn:aws:iam::123456789012:root',
  'AIDANOBODY',
])('nobody is %p', async (identity) => {
  await addUser([])
  expect(await identityPoliciesOf(metadata, identity)).toBeUndefined()
})

test('a policy that is in use and gone is a fault, not an allowance', async () => {
  const { arn } = await addUser(['arn:aws:iam::aws:policy/Unknown'])
  await expect(identityPoliciesOf(metadata, arn)).rejects.toThrow('cannot be found')
})
