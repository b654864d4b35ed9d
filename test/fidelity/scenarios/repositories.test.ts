import { describe } from 'bun:test'
import { OTHER_ACCOUNT, REGION } from '../in-process-registry.ts'
import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, scenarios, seen, when } from './scenario.ts'
import { as } from './surroundings-steps.ts'
import { hostOf } from './world.ts'

const template = (prefix: string, settings: object = {}) =>
  api.call('CreateRepositoryCreationTemplate', { prefix, appliedFor: ['CREATE_ON_PUSH'], ...settings })
const remove = (repositoryName: string, force = false) => api.call('DeleteRepository', { repositoryName, force })
const setting = (repositoryName: string, member: string) =>
  api.see('DescribeRepositories', { repositoryNames: [repositoryName] }, (body) => {
    const [repository] = body.repositories as readonly Readonly<Record<string, unknown>>[]
    return repository?.[member]
  })
const arnOf = (name: string) => `arn:aws:ecr:eu-west-3:123456789012:repository/${name}`
const tagsOf = (name: string) => api.see('ListTagsForResource', { resourceArn: arnOf(name) }, ({ tags }) => tags)
const text = (operation: string, member: string, repositoryName: string) =>
  api.see(operation, { repositoryName }, (body) => body[member])

const tags = [{ Key: 'team', Value: 'platform' }]
const policyText = JSON.stringify({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Deny', Principal: '*', Action: 'ecr:BatchDeleteImage' }],
})
const lifecyclePolicy = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})

describe('a repository', () => {
  scenarios({
    'that is not there cannot be pushed to': [
      when(docker.push('app', 'v1', 'a'), 'NAME_UNKNOWN'),
      when(api.push('app', 'v1', 'a'), 'RepositoryNotFoundException'),
      seen(docker.tags('app'), 'NAME_UNKNOWN'),
      seen(api.repositories(), []),
    ],
    'made by the API is in the catalog': [
      given(api.repository('team/app'), api.repository('app')),
      seen(docker.catalog(), ['app', 'team/app']),
      seen(api.repositories(), ['app', 'team/app']),
    ],
    'made twice is one': [
      given(api.repository('app')),
      when(api.repository('app'), 'RepositoryAlreadyExistsException'),
      seen(docker.catalog(), ['app']),
    ],
    'with an image is deleted by force only': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(remove('app'), 'RepositoryNotEmptyException'),
      seen(docker.pull('app', 'v1'), 'a'),
      when(remove('app', true)),
      seen(docker.pull('app', 'v1'), 'NAME_UNKNOWN'),
      seen(docker.catalog(), []),
    ],
    'emptied by docker can be deleted': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(docker.remove('app', '@a')),
      when(remove('app')),
      seen(docker.tags('app'), 'NAME_UNKNOWN'),
    ],
    'made again has nothing of its predecessor': [
      given(
        api.repository('app', { imageTagMutability: 'IMMUTABLE', tags }),
        docker.push('app', 'v1', 'a'),
        api.call('SetRepositoryPolicy', { repositoryName: 'app', policyText }),
        api.call('PutLifecyclePolicy', { repositoryName: 'app', lifecyclePolicyText: lifecyclePolicy }),
        remove('app', true),
      ),
      when(api.repository('app')),
      seen(docker.tags('app'), []),
      seen(docker.blob('app', 'layer of a'), 'BLOB_UNKNOWN'),
      seen(setting('app', 'imageTagMutability'), 'MUTABLE'),
      seen(text('GetRepositoryPolicy', 'policyText', 'app'), 'RepositoryPolicyNotFoundException'),
      seen(text('GetLifecyclePolicy', 'lifecyclePolicyText', 'app'), 'LifecyclePolicyNotFoundException'),
      seen(tagsOf('app'), []),
      when(docker.push('app', 'v1', 'b')),
      when(docker.push('app', 'v1', 'a')),
      when(docker.remove('app', '@b')),
    ],
    'of another region is another': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(as({ region: 'us-east-1' }, api.get('app', 'v1')), 'RepositoryNotFoundException'),
      when(as({ region: 'us-east-1' }, api.repository('app'))),
      seen(as({ region: 'us-east-1', host: hostOf('123456789012', 'us-east-1') }, docker.tags('app')), []),
      seen(docker.tags('app'), ['v1']),
    ],
    'of another account is another': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(as({ account: OTHER_ACCOUNT }, api.repository('app'))),
      seen(as({ account: OTHER_ACCOUNT, host: hostOf(OTHER_ACCOUNT) }, docker.tags('app')), []),
      seen(as({ account: OTHER_ACCOUNT }, docker.tags('app')), 'DENIED'),
    ],
    'says whether pushes are scanned': [
      given(api.repository('app')),
      when(
        api.call('PutImageScanningConfiguration', {
          repositoryName: 'app',
          imageScanningConfiguration: { scanOnPush: true },
        }),
      ),
      when(docker.push('app', 'v1', 'a')),
      seen(setting('app', 'imageScanningConfiguration'), { scanOnPush: true }),
    ],
  })
})

describe('tags of a repository', () => {
  const tag = (Key: string) => ({ Key, Value: '' })
  scenarios({
    'stay while images come and go': [
      given(api.repository('app', { tags }), docker.push('app', 'v1', 'a')),
      when(api.call('TagResource', { resourceArn: arnOf('app'), tags: [tag('owner')] })),
      when(docker.remove('app', '@a')),
      seen(tagsOf('app'), [tag('owner'), ...tags]),
    ],
    'decide through a policy who may push': [
      given(
        api.repository('app'),
        api.call('SetRepositoryPolicy', {
          repositoryName: 'app',
          policyText: JSON.stringify({
            Version: '2012-10-17',
            Statement: [
              {
                Effect: 'Deny',
                Principal: '*',
                Action: 'ecr:PutImage',
                Condition: { StringEquals: { 'aws:ResourceTag/state': 'frozen' } },
              },
            ],
          }),
        }),
      ),
      when(docker.push('app', 'v1', 'a')),
      when(api.call('TagResource', { resourceArn: arnOf('app'), tags: [{ Key: 'state', Value: 'frozen' }] })),
      when(docker.push('app', 'v2', 'a'), 'DENIED'),
      when(api.push('app', 'v2', 'a'), 'AccessDeniedException'),
      when(api.call('UntagResource', { resourceArn: arnOf('app'), tagKeys: ['state'] })),
      when(docker.push('app', 'v2', 'a')),
      seen(api.tags('app'), ['v1', 'v2']),
    ],
    'are not known in another region': [
      given(api.repository('app', { tags })),
      when(as({ region: 'us-east-1' }, tagsOf('app')), 'InvalidParameterException'),
      seen(tagsOf('app'), tags),
    ],
  })
})

describe('creation templates', () => {
  scenarios({
    'make the repository that docker pushes to': [
      given(template('team')),
      when(docker.push('team/app', 'v1', 'a')),
      seen(api.get('team/app', 'v1'), 'a'),
      seen(api.repositories(), ['team/app']),
    ],
    'make the repository that PutImage needs': [
      given(template('team')),
      when(api.push('team/app', 'v1', 'a')),
      seen(docker.pull('team/app', 'v1'), 'a'),
      seen(docker.catalog(), ['team/app']),
    ],
    'make none for other prefixes': [
      given(template('team')),
      when(docker.push('teams/app', 'v1', 'a'), 'NAME_UNKNOWN'),
      when(api.push('team', 'v1', 'a'), 'RepositoryNotFoundException'),
      seen(api.repositories(), []),
    ],
    'make none by a pull': [
      given(template('team')),
      seen(docker.pull('team/app', 'v1'), 'NAME_UNKNOWN'),
      seen(api.get('team/app', 'v1'), 'RepositoryNotFoundException'),
      seen(api.repositories(), []),
    ],
    'for other occasions make none': [
      given(api.call('CreateRepositoryCreationTemplate', { prefix: 'team', appliedFor: ['PULL_THROUGH_CACHE'] })),
      when(docker.push('team/app', 'v1', 'a'), 'NAME_UNKNOWN'),
    ],
    'for ROOT are for all that no other is for': [
      given(template('ROOT'), template('team', { imageTagMutability: 'IMMUTABLE' })),
      when(docker.push('app', 'v1', 'a')),
      when(docker.push('app', 'v1', 'b')),
      when(docker.push('team/app', 'v1', 'a')),
      when(docker.push('team/app', 'v1', 'b'), 'TAG_INVALID'),
      seen(setting('team/app', 'imageTagMutability'), 'IMMUTABLE'),
    ],
    'of the longest prefix win': [
      given(template('team', { imageTagMutability: 'IMMUTABLE' }), template('team/open')),
      when(docker.push('team/open/app', 'v1', 'a')),
      when(docker.push('team/open/app', 'v1', 'b')),
      seen(api.get('team/open/app', 'v1'), 'b'),
    ],
    'give a policy that acts at once': [
      given(template('team', { repositoryPolicy: policyText })),
      when(docker.push('team/app', 'v1', 'a')),
      when(docker.remove('team/app', 'v1'), 'DENIED'),
      when(api.delete('team/app', 'v1'), 'AccessDeniedException'),
      seen(text('GetRepositoryPolicy', 'policyText', 'team/app'), policyText),
    ],
    'give a lifecycle policy': [
      given(template('team', { lifecyclePolicy })),
      when(docker.push('team/app', 'v1', 'a')),
      seen(text('GetLifecyclePolicy', 'lifecyclePolicyText', 'team/app'), lifecyclePolicy),
    ],
    'give tags in the name of a role': [
      given(template('team', { resourceTags: tags, customRoleArn: 'arn:aws:iam::123456789012:role/creator' })),
      when(docker.push('team/app', 'v1', 'a')),
      seen(tagsOf('team/app'), tags),
    ],
    'cannot give tags without a role': [
      given(template('team', { resourceTags: tags })),
      when(docker.push('team/app', 'v1', 'a'), 'DENIED'),
      seen(api.repositories(), []),
    ],
    'do not change what is there': [
      given(api.repository('team/app'), template('team', { imageTagMutability: 'IMMUTABLE' })),
      when(docker.push('team/app', 'v1', 'a')),
      when(docker.push('team/app', 'v1', 'b')),
      seen(setting('team/app', 'imageTagMutability'), 'MUTABLE'),
    ],
    'deleted make nothing any more': [
      given(template('team'), docker.push('team/app', 'v1', 'a')),
      when(api.call('DeleteRepositoryCreationTemplate', { prefix: 'team' })),
      when(docker.push('team/other', 'v1', 'a'), 'NAME_UNKNOWN'),
      when(docker.push('team/app', 'v2', 'a')),
    ],
    'of another region make nothing here': [
      given(as({ region: 'us-east-1' }, template('team'))),
      when(docker.push('team/app', 'v1', 'a'), 'NAME_UNKNOWN'),
      seen(as({ region: REGION }, api.repositories()), []),
    ],
  })
})
