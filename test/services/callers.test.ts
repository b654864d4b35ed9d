import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { randomIds } from '../../src/lib/ids.ts'
import { Callers } from '../../src/services/credentials/callers.ts'
import { RootKeys } from '../../src/services/credentials/root-keys.ts'
import { newEntity } from '../suites/metadata-store-iam.ts'
import { createServices, registry, type Services } from '../support/service-fixture.ts'

let services: Services
let callers: Callers
let rootKeys: RootKeys
beforeEach(async () => {
  services = await createServices()
  callers = new Callers(services.metadata, registry, services.clock)
  rootKeys = new RootKeys(services.metadata, registry, services.clock, randomIds)
})
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })
const identify = (accessKeyId: string, isVerified = false) => callers.identify({ accessKeyId, isVerified })

describe('a key that nobody knows', () => {
  test('is the root of the account it names, or of the default account', async () => {
    expect(await identify('111122223333')).toMatchObject({
      arn: 'arn:aws:iam::111122223333:root',
      accountId: '111122223333',
    })
    expect(await identify('test')).toMatchObject({ arn: 'arn:aws:iam::123456789012:root' })
    expect(await callers.findSecrets('test')).toBeUndefined()
  })

  test('is nobody if it was verified a moment ago', async () => {
    await expect(identify('AKIAGONE', true)).rejects.toEqual(withCode('security-token-invalid'))
  })
})

describe('the root key', () => {
  test('is made once, and works', async () => {
    const key = await rootKeys.makeFirst()
    expect(key?.accessKeyId).toMatch(/^AKIA[A-Z2-7]{16}$/)
    expect(key?.secretAccessKey).toMatch(/^[A-Za-z0-9+/]{40}$/)
    expect(await callers.findSecrets(key?.accessKeyId ?? '')).toMatchObject({ secretAccessKey: key?.secretAccessKey })
    expect(await rootKeys.makeFirst()).toBeUndefined()
  })

  test('is replaced by the configured one', async () => {
    await rootKeys.put({ accessKeyId: 'AKIAFIRST', secretAccessKey: 'first' })
    await rootKeys.put({ accessKeyId: 'AKIASECOND', secretAccessKey: 'second' })
    expect(await callers.findSecrets('AKIAFIRST')).toBeUndefined()
    expect(await identify('AKIASECOND', true)).toMatchObject({ arn: 'arn:aws:iam::123456789012:root' })
  })
})

describe('the key of a user', () => {
  test('is the user while it is active', async () => {
    const principalArn = 'arn:aws:iam::123456789012:user/alice'
    await services.metadata.transact(async (tx) => {
      const user = await tx.iam.insert({ ...newEntity('user', 'alice'), tags: [{ key: 'team', value: 'a' }] })
      if (user === undefined) throw new Error('the name was free')
      const { id, uniqueId, tags, accountId, createdAt } = user
      await tx.credentials.putAccessKey({
        ...{ accessKeyId: 'AKIAUSER', secretAccessKey: 's', accountId, principalArn, createdAt, status: 'Active' },
        user: { id, uniqueId, tags },
      })
    })
    expect(await identify('AKIAUSER', true)).toMatchObject({
      ...{ kind: 'user', arn: principalArn, userId: 'user alice', tags: [{ key: 'team', value: 'a' }] },
    })
    await services.metadata.transact((tx) => tx.credentials.setAccessKeyStatus('AKIAUSER', 'Inactive'))
    expect(await callers.findSecrets('AKIAUSER')).toMatchObject({ refusal: 'invalid' })
    await expect(identify('AKIAUSER')).rejects.toEqual(withCode('security-token-invalid'))
  })
})
