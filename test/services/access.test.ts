import { afterEach, describe, expect, test } from 'bun:test'
import { parseTag } from '../../src/domain/names.ts'
import { NOWHERE, type Principal, rootPrincipal } from '../../src/domain/principal.ts'
import type { Access, AccessSettings, Denial } from '../../src/services/access/access.ts'
import { createUser, policyText, type StatementDocument, type TestUser } from '../support/iam-user.ts'
import {
  admin,
  createServices,
  manifestOf,
  pushImage,
  pushLayer,
  refTo,
  registry,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const ref = refTo('app')
const APP = `arn:aws:ecr:eu-west-3:${registry.registryId}:repository/app`
const withCode = (code: string) => expect.objectContaining({ code })

let services: Services
let user: TestUser

async function world(access: Partial<AccessSettings> = {}) {
  services = await createServices({ access })
  user = await createUser(services.metadata, registry.registryId, 'ci')
  await services.repositories.create(admin, ref)
}
afterEach(() => services.close())

const allow = (Action: string | readonly string[], more: StatementDocument = {}) => ({
  Effect: 'Allow',
  Action,
  Resource: '*',
  ...more,
})
const deny = (Action: string, more: StatementDocument = {}) => ({ ...allow(Action, more), Effect: 'Deny' })

describe('modes', () => {
  test('soft lets through what policies would deny, and reports it with the statement', async () => {
    const denials: Denial[] = []
    await world({ mode: 'soft', onDenied: (denial) => denials.push(denial) })
    await user.may(allow('*'), deny('ecr:ListImages', { Sid: 'NoLists' }))
    await services.imageLists.listTags(user.principal, ref, undefined, 10)
    expect(denials).toMatchObject([
      {
        action: 'ecr:ListImages',
        resource: APP,
        isEnforced: false,
        decision: { outcome: 'denied', by: 'identity', policy: 'test', statement: { sid: 'NoLists' } },
      },
    ])
    expect(denials[0]?.principal.arn).toBe(user.principal.arn)
  })

  test.each(['off', 'soft'] as const)('%s opens no account to another', async (mode) => {
    await world({ mode })
    await services.repositories.delete(user.principal, refTo('app'), false)
    await services.repositories.create(user.principal, ref)
    const list = services.imageLists.listTags(stranger, ref, undefined, 10)
    await expect(list).rejects.toEqual(withCode('access-denied'))
  })

  test('off asks nothing within an account, not even denials', async () => {
    await world({ mode: 'off', onDenied: () => expect.unreachable() })
    await user.may(deny('*'))
    await services.imageLists.listTags(user.principal, ref, undefined, 10)
  })

  test('enforce is what holds: a user may nothing, the root everything', async () => {
    await world()
    const list = (principal: Principal) => services.imageLists.listTags(principal, ref, undefined, 10)
    await expect(list(user.principal)).rejects.toEqual(withCode('access-denied'))
    await list(rootPrincipal(registry.registryId, admin.arn, 'AKIA'))
  })
})

describe('images by tag and digest', () => {
  const push = async (...tags: string[]) => {
    const [config, layer] = [await pushLayer(services, ref, 'config'), await pushLayer(services, ref, 'layer')]
    const manifest = manifestOf(config, [layer])
    return services.images.push(user.principal, ref, { manifest, tags: tags.map(parseTag) })
  }

  test('a push can be held to tags', async () => {
    await world()
    await user.may(allow('ecr:PutImage'), deny('ecr:PutImage', { Condition: { Null: { 'ecr:ImageTag': 'true' } } }))
    await expect(push()).rejects.toEqual(withCode('access-denied'))
    await push('v1')
    await user.may(allow('ecr:PutImage', { Condition: { 'ForAllValues:StringLike': { 'ecr:ImageTag': 'dev-*' } } }))
    await expect(push('dev-1', 'latest')).rejects.toEqual(withCode('access-denied'))
    await push('dev-1', 'dev-2')
  })

  test('what is protected by its tag is protected under its digest too, alone and in a batch', async () => {
    await world()
    const digest = await pushImage(services, ref, 'a', 'release-1', 'latest')
    const other = await pushImage(services, ref, 'b', 'dev')
    const Condition = { StringLike: { 'ecr:ImageTag': 'release-*' } }
    await user.may(allow('ecr:*'), deny('ecr:BatchDeleteImage', { Condition }))
    const { imageDeletion } = services
    const refused = expect.objectContaining({ code: 'access-denied' })
    await expect(imageDeletion.delete(user.principal, ref, { digest })).rejects.toEqual(refused)
    const both = [{ digest: other }, { digest: digest }]
    await expect(imageDeletion.deleteMany(user.principal, ref, both)).rejects.toEqual(refused)
    await imageDeletion.delete(user.principal, ref, { tag: parseTag('latest') })
    await imageDeletion.deleteMany(user.principal, ref, [{ digest: other }])
  })

  test('a pull can be held to a digest, by whatever it is asked for', async () => {
    await world()
    const digest = await pushImage(services, ref, 'a', 'good')
    const other = await pushImage(services, ref, 'b', 'bad')
    await user.may(allow('ecr:BatchGetImage', { Condition: { StringEquals: { 'ecr:ImageDigest': digest } } }))
    const pull = (reference: Parameters<Services['images']['pull']>[2]) =>
      services.images.pull(user.principal, ref, reference)
    await pull({ digest })
    await pull({ tag: parseTag('good') })
    await expect(pull({ digest: other })).rejects.toEqual(withCode('access-denied'))
    await expect(pull({ tag: parseTag('bad') })).rejects.toEqual(withCode('access-denied'))
    const batch = services.imageBatches.get(user.principal, ref, [{ digest: digest }, { tag: 'bad' }])
    await expect(batch).rejects.toEqual(withCode('access-denied'))
  })
})

describe('what a request says', () => {
  test('tags that are given and taken', async () => {
    await world()
    const red = {
      StringEquals: { 'aws:RequestTag/team': 'red' },
      'ForAllValues:StringEquals': { 'aws:TagKeys': 'team' },
    }
    await user.may(
      allow(['ecr:CreateRepository', 'ecr:TagResource'], { Condition: red }),
      allow('ecr:UntagResource', { Condition: { 'ForAnyValue:StringEquals': { 'aws:TagKeys': 'team' } } }),
    )
    const { repositories } = services
    const denied = expect.objectContaining({ code: 'access-denied' })
    const tagged = (value: string, key = 'team') => ({ tags: [{ key, value }] })
    await expect(repositories.create(user.principal, refTo('new'))).rejects.toEqual(denied)
    await expect(repositories.create(user.principal, refTo('new'), tagged('blue'))).rejects.toEqual(denied)
    await repositories.create(user.principal, refTo('new'), tagged('red'))
    await expect(repositories.putTags(user.principal, ref, tagged('red', 'owner').tags)).rejects.toEqual(denied)
    await repositories.putTags(user.principal, ref, tagged('red').tags)
    await expect(repositories.deleteTags(user.principal, ref, ['owner'])).rejects.toEqual(denied)
    await repositories.deleteTags(user.principal, ref, ['team'])
  })

  test('tags of the repository, those of the user, and where he is', async () => {
    await world()
    await services.repositories.putTags(admin, ref, [{ key: 'team', value: 'red' }])
    const own = { StringEquals: { 'aws:ResourceTag/team': '\u0024{aws:PrincipalTag/team}' } }
    await user.may(
      allow('ecr:ListImages', { Condition: own }),
      deny('ecr:*', { Condition: { NotIpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } }),
    )
    const list = (team: string, sourceIp: string) =>
      services.imageLists.listTags(
        { ...user.principal, tags: [{ key: 'team', value: team }], circumstances: { ...NOWHERE, sourceIp } },
        ref,
        undefined,
        10,
      )
    await list('red', '10.0.0.1')
    await expect(list('blue', '10.0.0.1')).rejects.toEqual(withCode('access-denied'))
    await expect(list('red', '192.0.2.1')).rejects.toEqual(withCode('access-denied'))
  })

  test('the account setting', async () => {
    await world()
    await user.may(allow('ecr:*', { Condition: { StringEquals: { 'ecr:AccountSetting': 'BLOB_MOUNTING' } } }))
    await services.accountSettings.get(user.principal, registry, 'BLOB_MOUNTING')
    const other = services.accountSettings.get(user.principal, registry, 'REGISTRY_POLICY_SCOPE')
    await expect(other).rejects.toEqual(withCode('access-denied'))
  })
})

describe('policies that change', () => {
  test('hold from the next request on', async () => {
    await world()
    const list = () => services.imageLists.listTags(user.principal, ref, undefined, 10)
    await expect(list()).rejects.toEqual(withCode('access-denied'))
    await user.may(allow('ecr:ListImages'))
    await list()
    await user.may()
    await expect(list()).rejects.toEqual(withCode('access-denied'))
  })

  test('one that cannot be read denies everything, and its owner can replace it', async () => {
    const reports: Error[] = []
    await world({ report: (error) => reports.push(error) })
    const { id } = (await services.metadata.view.repositories.find(ref)) ?? { id: 0 }
    await services.metadata.transact((tx) => tx.policies.putOfRepository({ ...ref, id } as never, '{"Version":"2099"}'))
    const list = () => services.imageLists.listTags(admin, ref, undefined, 10)
    await expect(list()).rejects.toEqual(withCode('access-denied'))
    expect(reports.map(({ message }) => message)).toEqual([
      "The stored policy 'repository policy of app' cannot be read and denies everything",
    ])
    await services.policies.deleteOfRepository(admin, ref)
    await list()
  })

  test('a session is narrowed by its policies', async () => {
    await world()
    await user.may(allow('ecr:*'))
    const session = { name: 's', issuedAt: new Date(0), expiresAt: new Date(1), facts: {} }
    const inSession = (...policies: string[]): Principal => ({ ...user.principal, session: { ...session, policies } })
    const may = (access: Access, principal: Principal) => access.permits(principal, 'ecr:ListImages', ref)
    const { access } = services
    expect(await may(access, inSession())).toBe(true)
    expect(await may(access, inSession(policyText(allow('ecr:PutImage'))))).toBe(false)
    expect(await may(access, inSession(policyText(allow('ecr:PutImage')), policyText(allow('ecr:List*'))))).toBe(true)
    expect(await may(access, inSession('nonsense'))).toBe(false)
    const federated: Principal = { ...inSession(), kind: 'federated-user' }
    expect(await may(access, federated)).toBe(false)
  })
})
