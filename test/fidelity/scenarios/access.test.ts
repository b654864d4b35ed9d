import { describe } from 'bun:test'
import { OTHER_ACCOUNT } from '../in-process-registry.ts'
import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, type Step, scenarios, seen, when } from './scenario.ts'
import { as, HOUR_MS, timePasses } from './surroundings-steps.ts'
import { hostOf } from './world.ts'

const REPOSITORY = 'arn:aws:ecr:eu-west-3:123456789012:repository/app'
const app = given(api.repository('app'), docker.push('app', 'v1', 'a'))

const document = (...statements: readonly object[]) =>
  JSON.stringify({ Version: '2012-10-17', Statement: statements.map((one) => ({ Principal: '*', ...one })) })
const policy = (...statements: readonly object[]) =>
  api.call('SetRepositoryPolicy', { repositoryName: 'app', policyText: document(...statements) })
const registryPolicy = (...statements: readonly object[]) =>
  api.call('PutRegistryPolicy', { policyText: document(...statements) })
const allow = (...Action: readonly string[]) => ({ Effect: 'Allow', Action })
const deny = (...Action: readonly string[]) => ({ Effect: 'Deny', Action })

const PULL = ['ecr:BatchGetImage', 'ecr:GetDownloadUrlForLayer']
const PUSH = [
  'ecr:BatchCheckLayerAvailability',
  'ecr:InitiateLayerUpload',
  'ecr:UploadLayerPart',
  'ecr:CompleteLayerUpload',
  'ecr:PutImage',
]

/** The other account, by docker on the owner's host. */
const guest = (step: Step) => as({ account: OTHER_ACCOUNT }, step)
/** The other account, by an operation that names the owner's registry. */
const guestCalls = (operation: string, input: object) =>
  guest(api.call(operation, { registryId: '123456789012', repositoryName: 'app', ...input }))
const guestGets = guestCalls('BatchGetImage', { imageIds: [{ imageTag: 'v1' }] })

describe('policies', () => {
  scenarios({
    'without any, a guest may nothing': [
      app,
      when(guest(docker.pull('app', 'v1')), 'DENIED'),
      when(guestGets, 'AccessDeniedException'),
      when(guest(docker.push('app', 'v2', 'b')), 'DENIED'),
      when(guest(docker.tags('app')), 'DENIED'),
    ],
    'let a guest pull on both planes': [
      app,
      when(policy(allow(...PULL))),
      seen(guest(docker.pull('app', 'v1')), 'a'),
      seen(guest(docker.blob('app', 'layer of a')), 'layer of a'),
      when(guestGets),
      when(guest(docker.push('app', 'v2', 'b')), 'DENIED'),
    ],
    'let a guest push, which the owner sees': [
      app,
      when(policy(allow(...PUSH))),
      when(guest(docker.push('app', 'v2', 'b'))),
      seen(guest(docker.pull('app', 'v2')), 'DENIED'),
      seen(api.get('app', 'v2'), 'b'),
    ],
    'name the guest by account': [
      app,
      when(policy({ ...allow(...PULL), Principal: { AWS: OTHER_ACCOUNT } })),
      seen(guest(docker.pull('app', 'v1')), 'a'),
      seen(as({ account: '888888888888' }, docker.pull('app', 'v1')), 'DENIED'),
    ],
    'deny pulls to the owner too': [
      app,
      when(policy(deny('ecr:BatchGetImage'))),
      seen(docker.pull('app', 'v1'), 'DENIED'),
      seen(docker.head('app', 'v1'), '403'),
      seen(api.get('app', 'v1'), 'AccessDeniedException'),
      seen(api.tags('app'), ['v1']),
    ],
    'deny pushes on both planes': [
      app,
      when(policy(deny('ecr:PutImage'))),
      when(docker.push('app', 'v2', 'b'), 'DENIED'),
      when(api.push('app', 'v2', 'b'), 'AccessDeniedException'),
      seen(docker.tags('app'), ['v1']),
    ],
    'deny uploads on both planes': [
      app,
      when(policy(deny('ecr:InitiateLayerUpload'))),
      when(docker.pushBlob('app', 'x'), 'DENIED'),
      when(api.layer('app', 'x'), 'AccessDeniedException'),
    ],
    'deny deletions on both planes': [
      app,
      when(policy(deny('ecr:BatchDeleteImage'))),
      when(docker.remove('app', 'v1'), 'DENIED'),
      when(docker.remove('app', '@a'), 'DENIED'),
      when(api.delete('app', '@a'), 'AccessDeniedException'),
      seen(docker.pull('app', 'v1'), 'a'),
    ],
    'deny listings on both planes': [
      app,
      when(policy(deny('ecr:ListImages'))),
      seen(docker.tags('app'), 'DENIED'),
      seen(api.tags('app'), 'AccessDeniedException'),
      seen(api.images('app'), ['a']),
    ],
    'deny layers on both planes': [
      app,
      when(policy(deny('ecr:GetDownloadUrlForLayer'))),
      seen(docker.blob('app', 'layer of a'), 'DENIED'),
      seen(api.download('app', 'layer of a'), 'AccessDeniedException'),
      seen(docker.pull('app', 'v1'), 'a'),
    ],
    'a denial outdoes what is allowed': [
      app,
      when(policy(allow(...PULL), deny('ecr:BatchGetImage'))),
      seen(guest(docker.pull('app', 'v1')), 'DENIED'),
      seen(guest(docker.blob('app', 'layer of a')), 'layer of a'),
    ],
    'deleted act no more': [
      app,
      given(policy(deny('ecr:BatchGetImage'))),
      seen(docker.pull('app', 'v1'), 'DENIED'),
      when(api.call('DeleteRepositoryPolicy', { repositoryName: 'app' })),
      seen(docker.pull('app', 'v1'), 'a'),
    ],
    'of the registry hold in every repository': [
      app,
      given(api.repository('other')),
      when(registryPolicy({ ...deny('ecr:PutImage'), Resource: 'arn:aws:ecr:eu-west-3:123456789012:repository/*' })),
      when(docker.push('app', 'v2', 'b'), 'DENIED'),
      when(api.push('other', 'v2', 'b'), 'AccessDeniedException'),
      when(api.call('DeleteRegistryPolicy')),
      when(docker.push('app', 'v2', 'b')),
    ],
    'of the registry may mean one repository': [
      app,
      given(api.repository('other')),
      when(registryPolicy({ ...allow(...PULL), Resource: REPOSITORY })),
      seen(guest(docker.pull('app', 'v1')), 'a'),
      seen(guest(docker.tags('other')), 'DENIED'),
    ],
    'of scope V1 may not speak of pushes': [
      app,
      given(api.call('PutAccountSetting', { name: 'REGISTRY_POLICY_SCOPE', value: 'V1' })),
      when(registryPolicy({ ...deny('ecr:PutImage'), Resource: REPOSITORY }), 'InvalidParameterException'),
      when(docker.push('app', 'v2', 'b')),
    ],
    'that would lock their maker out need force': [
      app,
      when(policy(deny('ecr:*')), 'InvalidParameterException'),
      seen(docker.pull('app', 'v1'), 'a'),
      when(
        api.call('SetRepositoryPolicy', { repositoryName: 'app', policyText: document(deny('ecr:*')), force: true }),
      ),
      seen(docker.pull('app', 'v1'), 'DENIED'),
      seen(api.get('app', 'v1'), 'AccessDeniedException'),
    ],
    'keep a mount from a repository that may not be read': [
      app,
      given(
        api.repository('copy'),
        api.call('PutAccountSetting', { name: 'BLOB_MOUNTING', value: 'ENABLED' }),
        policy(deny('ecr:GetDownloadUrlForLayer')),
      ),
      when(docker.mount('copy', 'app', 'layer of a'), 'to be uploaded'),
    ],
  })
})

describe('login tokens', () => {
  scenarios({
    'are good for twelve hours': [
      app,
      given(timePasses(12 * HOUR_MS - 1_000)),
      seen(docker.pull('app', 'v1'), 'a'),
      given(timePasses(1_000)),
      seen(docker.pull('app', 'v1'), 'DENIED'),
      seen(api.get('app', 'v1'), 'a'),
    ],
    'of another region are none here': [
      app,
      when(as({ region: 'us-east-1' }, docker.login()), 'DENIED'),
      when(as({ region: 'us-east-1', host: hostOf('123456789012', 'us-east-1') }, docker.login())),
    ],
    'of another account log in, and may nothing': [
      app,
      when(guest(docker.login())),
      seen(guest(docker.tags('app')), 'DENIED'),
    ],
    'mean the registry of the host': [
      app,
      given(guest(api.repository('app'))),
      seen(as({ account: OTHER_ACCOUNT, host: hostOf(OTHER_ACCOUNT) }, docker.tags('app')), []),
      seen(as({ host: hostOf(OTHER_ACCOUNT) }, docker.tags('app')), 'DENIED'),
    ],
    'mean their own registry where the host names none': [
      app,
      seen(as({ host: 'localhost:4566' }, docker.tags('app')), ['v1']),
      seen(as({ account: OTHER_ACCOUNT, host: 'localhost:4566' }, docker.tags('app')), 'NAME_UNKNOWN'),
    ],
    'are asked for with a challenge': [
      app,
      seen(
        async ({ registry }) => {
          const response = await registry.send(new Request(`http://${hostOf('123456789012')}/v2/`))
          return [response.status, response.headers.get('www-authenticate')?.split(' ')[0]]
        },
        [401, 'Basic'],
      ),
    ],
    'made up are refused': [
      seen(
        async ({ registry }) =>
          (
            await registry.send(
              new Request(`http://${hostOf('123456789012')}/v2/`, {
                headers: { authorization: `Basic ${Buffer.from('AWS:guess').toString('base64')}` },
              }),
            )
          ).status,
        400,
      ),
    ],
  })
})
