import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import * as kms from '@aws-sdk/client-kms'
import { registry } from '../../support/service-fixture.ts'
import { createEcr, type EcrFixture, refusalOf } from '../ecr/ecr-fixture.ts'

const OWNER = '123456789012'
const GUEST = '999999999999'
const Plaintext = new TextEncoder().encode('x')

let ecr: EcrFixture
let KeyId: string
beforeEach(async () => {
  ecr = await createEcr()
  const { KeyMetadata } = await ecr.kms.send(new kms.CreateKeyCommand({}))
  KeyId = KeyMetadata?.Arn ?? ''
})
afterEach(async () => {
  await ecr.close()
  expect(ecr.reported).toEqual([])
})

const ROOT = { Effect: 'Allow', Principal: { AWS: `arn:aws:iam::${OWNER}:root` }, Action: 'kms:*', Resource: '*' }
const policy = (...statements: readonly object[]) => JSON.stringify({ Version: '2012-10-17', Statement: statements })
const put = (Policy: string, more: object = {}) => ecr.kms.send(new kms.PutKeyPolicyCommand({ KeyId, Policy, ...more }))
const encryptBy = (client: kms.KMSClient, EncryptionContext?: Record<string, string>) =>
  client.send(new kms.EncryptCommand({ KeyId, Plaintext, EncryptionContext }))
const codeOf = async (answer: Promise<unknown>) => (await refusalOf(answer))[0]

describe("a key's policy", () => {
  test('lets the account decide when none was given, and is answered as it was given', async () => {
    const get = async () => (await ecr.kms.send(new kms.GetKeyPolicyCommand({ KeyId }))).Policy ?? ''
    expect(JSON.parse(await get())).toMatchObject({ Id: 'key-default-1', Statement: [ROOT] })
    const given = ` ${policy(ROOT)} `
    await put(given)
    expect(await get()).toBe(given)
    const { PolicyNames } = await ecr.kms.send(new kms.ListKeyPoliciesCommand({ KeyId }))
    expect(PolicyNames).toEqual(['default'])
    expect(await codeOf(put(given, { PolicyName: 'other' }))).toBe('UnsupportedOperationException')
  })

  test('that is none, or that would lock its author out, is refused', async () => {
    const alice = { AWS: `arn:aws:iam::${OWNER}:user/alice` }
    for (const text of [
      '{',
      '{}',
      policy({ ...ROOT, Principal: { AWS: 'nobody' } }),
      policy({ ...ROOT, Action: 's3:*' }),
    ])
      expect(await codeOf(put(text))).toBe('MalformedPolicyDocumentException')
    const locking = policy({ ...ROOT, Principal: alice })
    expect((await refusalOf(put(locking)))[1]).toContain('will not allow you to update the key policy')
    await put(locking, { BypassPolicyLockoutSafetyCheck: true })
    expect(await codeOf(encryptBy(ecr.kms))).toBe('AccessDeniedException')
    expect((await encryptBy(ecr.kmsOf(OWNER, 'alice'))).KeyId).toBe(KeyId)
  })

  test('lets another account in as far as it says', async () => {
    const guest = ecr.kmsOf(GUEST)
    expect(await codeOf(encryptBy(guest))).toBe('AccessDeniedException')
    const principal = { AWS: `arn:aws:iam::${GUEST}:root` }
    await put(policy(ROOT, { ...ROOT, Principal: principal, Action: ['kms:Encrypt', 'kms:DisableKey'] }))
    expect((await encryptBy(guest)).KeyId).toBe(KeyId)
    const { CiphertextBlob } = await encryptBy(guest)
    expect(await codeOf(guest.send(new kms.DecryptCommand({ CiphertextBlob, KeyId })))).toBe('AccessDeniedException')
    expect(await codeOf(guest.send(new kms.DisableKeyCommand({ KeyId })))).toBe('AccessDeniedException')
  })

  test('denies, whoever is meant', async () => {
    await put(policy(ROOT, { ...ROOT, Effect: 'Deny', Action: 'kms:Encrypt' }))
    const [code, message] = await refusalOf(encryptBy(ecr.kms))
    expect(code).toBe('AccessDeniedException')
    expect(message).toEndWith('with an explicit deny in a resource-based policy')
  })

  test('asks for the context and for the service that calls', async () => {
    const onlyFor = (key: string, value: string) => ({ Condition: { StringEquals: { [key]: value } } })
    await put(
      policy(ROOT, { ...ROOT, Effect: 'Deny', Action: 'kms:Encrypt', ...onlyFor('kms:EncryptionContext:app', 'x') }),
    )
    expect((await encryptBy(ecr.kms, { app: 'y' })).KeyId).toBe(KeyId)
    expect(await codeOf(encryptBy(ecr.kms, { app: 'x' }))).toBe('AccessDeniedException')
    const through = onlyFor('kms:ViaService', 'ecr.eu-west-3.amazonaws.com')
    const manage = { ...ROOT, Action: ['kms:Put*', 'kms:Get*'] }
    await put(policy(manage, { ...ROOT, ...through }))
    expect(await codeOf(encryptBy(ecr.kms))).toBe('AccessDeniedException')
  })
})

describe('a grant', () => {
  const alice = ecrUser('alice')
  const create = (more: Partial<kms.CreateGrantCommandInput> = {}, client = ecr.kms) =>
    client.send(new kms.CreateGrantCommand({ KeyId, GranteePrincipal: alice, Operations: ['Encrypt'], ...more }))

  beforeEach(async () => {
    // Only the root is named: users have what grants give them.
    await put(policy({ ...ROOT, Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${OWNER}:root` } } }))
  })

  test('permits what it says to whom it names', async () => {
    expect(await codeOf(encryptBy(ecr.kmsOf(OWNER, 'alice')))).toBe('AccessDeniedException')
    const { GrantToken } = await create()
    const command = new kms.EncryptCommand({ KeyId, Plaintext, GrantTokens: [GrantToken ?? ''] })
    expect((await ecr.kmsOf(OWNER, 'alice').send(command)).KeyId).toBe(KeyId)
    expect(await codeOf(encryptBy(ecr.kmsOf(OWNER, 'bob')))).toBe('AccessDeniedException')
    expect(await codeOf(ecr.kmsOf(OWNER, 'alice').send(new kms.DisableKeyCommand({ KeyId })))).toBe(
      'AccessDeniedException',
    )
    const wrong = new kms.EncryptCommand({ KeyId, Plaintext, GrantTokens: ['nonsense'] })
    expect(await codeOf(ecr.kms.send(wrong))).toBe('InvalidGrantTokenException')
  })

  test('counts for contexts as it says', async () => {
    await create({ Constraints: { EncryptionContextSubset: { app: 'x' } } })
    const client = ecr.kmsOf(OWNER, 'alice')
    expect((await encryptBy(client, { app: 'x', more: 'y' })).KeyId).toBe(KeyId)
    expect(await codeOf(encryptBy(client, { more: 'y' }))).toBe('AccessDeniedException')
    await create({ Constraints: { EncryptionContextEquals: { only: 'this' } } })
    expect((await encryptBy(client, { only: 'this' })).KeyId).toBe(KeyId)
    expect(await codeOf(encryptBy(client, { only: 'this', more: 'y' }))).toBe('AccessDeniedException')
  })

  test('does not stand against a denial', async () => {
    await create()
    const root = { ...ROOT, Condition: { ArnEquals: { 'aws:PrincipalArn': `arn:aws:iam::${OWNER}:root` } } }
    await put(policy(root, { ...ROOT, Effect: 'Deny', Principal: { AWS: alice }, Action: 'kms:Encrypt' }))
    expect(await codeOf(encryptBy(ecr.kmsOf(OWNER, 'alice')))).toBe('AccessDeniedException')
  })

  test('is listed, is the same when it has a name and is made again, and is revoked', async () => {
    const first = await create({ Name: 'one', RetiringPrincipal: ecrUser('carol') })
    expect(await create({ Name: 'one', RetiringPrincipal: ecrUser('carol') })).toMatchObject({ GrantId: first.GrantId })
    await create({ GranteePrincipal: ecrUser('bob') })
    const list = async (more: object = {}) => (await ecr.kms.send(new kms.ListGrantsCommand({ KeyId, ...more }))).Grants
    expect(await list()).toHaveLength(2)
    expect(await list({ GranteePrincipal: alice })).toMatchObject([
      {
        KeyId,
        GrantId: first.GrantId,
        Name: 'one',
        GranteePrincipal: alice,
        RetiringPrincipal: ecrUser('carol'),
        IssuingAccount: `arn:aws:iam::${OWNER}:root`,
        Operations: ['Encrypt'],
      },
    ])
    const revoke = () => ecr.kms.send(new kms.RevokeGrantCommand({ KeyId, GrantId: first.GrantId }))
    await revoke()
    expect(await codeOf(revoke())).toBe('InvalidGrantIdException')
    expect(await codeOf(encryptBy(ecr.kmsOf(OWNER, 'alice')))).toBe('AccessDeniedException')
  })

  test('is retired by those who may', async () => {
    const { GrantToken } = await create({ RetiringPrincipal: ecrUser('carol') })
    const retire = (user: string) => ecr.kmsOf(OWNER, user).send(new kms.RetireGrantCommand({ GrantToken }))
    expect(await codeOf(retire('alice'))).toBe('AccessDeniedException')
    await retire('carol')
    expect(await codeOf(retire('carol'))).toBe('InvalidGrantTokenException')
  })

  test('made by a grant gives no more than that one', async () => {
    await create({ Operations: ['CreateGrant', 'Encrypt'] })
    const bob = { GranteePrincipal: ecrUser('bob') }
    const client = ecr.kmsOf(OWNER, 'alice')
    expect((await create({ ...bob, Operations: ['Encrypt'] }, client)).GrantId).toBeDefined()
    expect(await codeOf(create({ ...bob, Operations: ['Decrypt'] }, client))).toBe('AccessDeniedException')
  })

  test('names principals and operations that there are', async () => {
    expect(await codeOf(create({ GranteePrincipal: 'nobody' }))).toBe('InvalidArnException')
    expect(await codeOf(create({ Operations: ['Sign'] }))).toBe('ValidationException')
    await ecr.kms.send(new kms.DisableKeyCommand({ KeyId }))
    expect(await codeOf(create())).toBe('DisabledException')
  })
})

function ecrUser(name: string): string {
  return `arn:aws:iam::${OWNER}:user/${name}`
}

describe('policies of identities', () => {
  test("count where the key's policy leaves it to the account, and a denial among them always", async () => {
    const statements = new Map<string, object[]>()
    const identityPoliciesOf = async ({ arn }: { readonly arn: string }) => {
      const ofUser = statements.get(arn)
      return ofUser && { policies: [{ name: 'inline', text: policy(...ofUser) }] }
    }
    const own = await createEcr(undefined, { access: { identityPoliciesOf } })
    const { KeyMetadata } = await own.kms.send(new kms.CreateKeyCommand({}))
    const key = KeyMetadata?.Arn ?? ''
    const encrypt = (EncryptionContext?: Record<string, string>) =>
      own.kmsOf(OWNER, 'alice').send(new kms.EncryptCommand({ KeyId: key, Plaintext, EncryptionContext }))
    const list = () => own.kmsOf(OWNER, 'alice').send(new kms.ListKeysCommand({}))
    expect([await codeOf(encrypt()), await codeOf(list())]).toEqual(['AccessDeniedException', 'AccessDeniedException'])
    const allow = { Effect: 'Allow', Action: 'kms:Encrypt', Resource: key }
    const only = { Condition: { StringEquals: { 'kms:EncryptionContext:app': 'shop' } } }
    statements.set(ecrUser('alice'), [{ ...allow, ...only }])
    const changed = async () => own.metadata.transact((tx) => tx.policies.putOfRegistry(registry, policy(allow)))
    await changed()
    expect((await encrypt({ app: 'shop' })).KeyId).toBe(key)
    expect(await codeOf(encrypt({ app: 'other' }))).toBe('AccessDeniedException')
    // Named by the key itself, the user needs no policy of his own; one that denies still holds.
    const named = { ...ROOT, Principal: { AWS: ecrUser('alice') }, Action: 'kms:Encrypt' }
    const put = new kms.PutKeyPolicyCommand({ KeyId: key, Policy: policy(ROOT, named) })
    await own.kms.send(put)
    expect((await encrypt({ app: 'other' })).KeyId).toBe(key)
    statements.set(ecrUser('alice'), [{ ...allow, Effect: 'Deny' }])
    await changed()
    const [, message] = await refusalOf(encrypt())
    expect(message).toEndWith('with an explicit deny in an identity-based policy')
    await own.close()
  })
})
