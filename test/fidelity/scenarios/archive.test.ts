import { describe } from 'bun:test'
import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, scenarios, seen, when } from './scenario.ts'
import { HOUR_MS, timePasses } from './surroundings-steps.ts'

const archived = given(api.repository('app'), docker.push('app', 'v1', 'a'), api.archive('app', 'v1'))
const ARCHIVED = { imageStatus: 'ARCHIVED' }
const restored = given(api.restore('app', '@a'), timePasses(HOUR_MS))

describe('an archived image', () => {
  scenarios({
    'is not there for docker, by tag': [archived, seen(docker.pull('app', 'v1'), 'MANIFEST_UNKNOWN')],
    'is not there for docker, by digest': [archived, seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN')],
    'is not there for HEAD': [archived, seen(docker.head('app', 'v1'), '404')],
    'cannot be had from the API': [archived, seen(api.get('app', 'v1'), 'ImageInaccessible')],
    'hides its tag from docker': [archived, seen(docker.tags('app'), [])],
    'hides from ListImages': [archived, seen(api.tags('app'), [])],
    'is described when it is asked for': [
      archived,
      seen(api.images('app'), []),
      seen(api.images('app', ARCHIVED), ['a']),
      seen(api.images('app', { imageStatus: 'ANY' }), ['a']),
    ],
    'keeps its layers from docker': [archived, seen(docker.blob('app', 'layer of a'), 'BLOB_UNKNOWN')],
    'keeps its layers from the API': [
      archived,
      seen(api.availability('app', 'layer of a'), 'ARCHIVED'),
      seen(api.download('app', 'layer of a'), 'LayerInaccessibleException'),
    ],
    'comes back by a push of docker, at once': [
      archived,
      when(docker.push('app', 'v1', 'a')),
      seen(api.get('app', 'v1'), 'a'),
      seen(api.detail('app', '@a', 'imageStatus'), 'ACTIVE'),
      seen(docker.tags('app'), ['v1']),
    ],
    'comes back by a push under another tag': [
      archived,
      when(docker.push('app', 'v2', 'a')),
      seen(docker.pull('app', 'v1'), 'a'),
      seen(api.tags('app'), ['v1', 'v2']),
    ],
    'comes back by a push under its tag, though tags are immutable by now': [
      archived,
      given(api.call('PutImageTagMutability', { repositoryName: 'app', imageTagMutability: 'IMMUTABLE' })),
      when(docker.push('app', 'v1', 'b'), 'TAG_INVALID'),
      when(docker.push('app', 'v1', 'a')),
      seen(api.get('app', 'v1'), 'a'),
      when(docker.push('app', 'v1', 'a'), 'TAG_INVALID'),
    ],
    'comes back by the push of an index that lists it': [
      archived,
      when(docker.pushIndex('app', 'all', 'index', 'a')),
      seen(docker.pull('app', '@a'), 'a'),
      seen(api.images('app', ARCHIVED), []),
    ],
    'can lose its tag to docker, and stays in the archive': [
      archived,
      when(docker.remove('app', 'v1')),
      seen(api.images('app', { imageStatus: 'ARCHIVED', tagStatus: 'UNTAGGED' }), ['a']),
    ],
    'can get referrers, which are not archived': [
      archived,
      when(docker.pushReferrer('app', '@sbom', 'sbom', 'a')),
      seen(docker.referrers('app', 'a'), ['sbom']),
      seen(api.referrers('app', 'a'), ['sbom']),
      seen(docker.pull('app', 'v1'), 'MANIFEST_UNKNOWN'),
    ],
    'comes back by PutImage': [archived, when(api.push('app', 'v1', 'a')), seen(docker.pull('app', 'v1'), 'a')],
    'comes back in time when it is restored': [
      archived,
      when(api.restore('app', '@a')),
      seen(api.detail('app', '@a', 'imageStatus'), 'ACTIVATING'),
      seen(docker.pull('app', 'v1'), 'MANIFEST_UNKNOWN'),
      given(timePasses(HOUR_MS)),
      seen(docker.pull('app', 'v1'), 'a'),
      seen(api.detail('app', '@a', 'imageStatus'), 'ACTIVE'),
      seen(docker.blob('app', 'layer of a'), 'layer of a'),
    ],
    'cannot be archived twice': [
      archived,
      when(api.archive('app', '@a'), 'ImageStorageClassUpdateNotSupportedException'),
      restored,
      when(api.restore('app', '@a'), 'ImageStorageClassUpdateNotSupportedException'),
      when(api.archive('app', '@a')),
      seen(docker.pull('app', 'v1'), 'MANIFEST_UNKNOWN'),
    ],
    'can be deleted by the API': [
      archived,
      when(api.delete('app', '@a'), ['a:v1']),
      seen(api.images('app', { imageStatus: 'ANY' }), []),
      seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
    ],
    'can be deleted by docker': [
      archived,
      when(docker.remove('app', '@a')),
      seen(api.images('app', { imageStatus: 'ANY' }), []),
    ],
    'gives its tag to another image': [
      archived,
      when(docker.push('app', 'v1', 'b')),
      seen(api.get('app', 'v1'), 'b'),
      seen(api.images('app', ARCHIVED), ['a']),
    ],
    'keeps its repository from being deleted': [
      archived,
      when(api.call('DeleteRepository', { repositoryName: 'app' }), 'RepositoryNotEmptyException'),
      when(api.call('DeleteRepository', { repositoryName: 'app', force: true })),
      seen(docker.tags('app'), 'NAME_UNKNOWN'),
    ],
    'takes its referrers along, and brings them back': [
      given(api.repository('app'), docker.push('app', 'v1', 'a'), docker.pushReferrer('app', '@sbom', 'sbom', 'a')),
      when(api.archive('app', 'v1')),
      seen(docker.referrers('app', 'a'), []),
      seen(api.referrers('app', 'a', { artifactStatus: 'ARCHIVED' }), ['sbom']),
      restored,
      seen(docker.referrers('app', 'a'), ['sbom']),
      seen(api.referrers('app', 'a'), ['sbom']),
    ],
    'takes its children along': [
      given(api.repository('app'), docker.push('app', '@a', 'a'), docker.pushIndex('app', 'all', 'index', 'a')),
      when(api.archive('app', '@a'), 'ImageStorageClassUpdateNotSupportedException'),
      when(api.archive('app', 'all')),
      seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
      seen(api.images('app', ARCHIVED), ['a', 'index']),
    ],
    'shares its layers with one that is not': [
      given(api.repository('app'), docker.push('app', 'v1', 'a'), docker.push('app', 'v2', 'b')),
      when(api.archive('app', 'v1')),
      seen(docker.blob('app', 'layer of b'), 'layer of b'),
      seen(api.availability('app', 'layer of a'), 'ARCHIVED'),
    ],
  })
})
