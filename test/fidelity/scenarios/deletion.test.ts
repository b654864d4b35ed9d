import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, scenarios, seen, when } from './scenario.ts'
import { daysPass, garbageIsCollected } from './surroundings-steps.ts'

const image = given(api.repository('app'), docker.push('app', 'v1', 'a'), api.push('app', 'v2', 'a'))
const index = given(
  api.repository('app'),
  docker.push('app', '@a', 'a'),
  docker.push('app', 'b', 'b'),
  docker.pushIndex('app', 'all', 'index', 'a', 'b'),
)

scenarios({
  'the API takes one of two tags: the image stays': [
    image,
    when(api.delete('app', 'v1'), ['a:v1']),
    seen(docker.tags('app'), ['v2']),
    seen(docker.pull('app', '@a'), 'a'),
  ],
  'the API takes the last tag: the image goes': [
    image,
    when(api.delete('app', 'v1', 'v2'), ['a:v1', 'a:v2']),
    seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
    seen(docker.tags('app'), []),
  ],
  'the API takes a digest: the image goes with all its tags': [
    image,
    when(api.delete('app', '@a'), ['a:v1', 'a:v2']),
    seen(docker.tags('app'), []),
    seen(docker.pull('app', 'v2'), 'MANIFEST_UNKNOWN'),
  ],
  'docker takes a tag: the image stays, untagged at last': [
    image,
    when(docker.remove('app', 'v1')),
    when(docker.remove('app', 'v2')),
    seen(api.images('app', { tagStatus: 'UNTAGGED' }), ['a']),
    seen(api.get('app', '@a'), 'a'),
  ],
  'docker takes a digest: the image goes with all its tags': [
    image,
    when(docker.remove('app', '@a')),
    seen(api.tags('app'), []),
    seen(api.get('app', '@a'), 'ImageNotFound'),
  ],
  'an untagged image is answered by its digest alone': [
    given(api.repository('app'), docker.push('app', '@a', 'a')),
    when(api.delete('app', '@a'), ['a']),
    seen(docker.head('app', '@a'), '404'),
  ],
  'a tag that does not stand for the digest keeps the image': [
    given(api.repository('app'), docker.push('app', 'v1', 'a'), docker.push('app', 'v2', 'b')),
    when(api.delete('app', '@a:v2'), ['ImageTagDoesNotMatchDigest']),
    seen(docker.tags('app'), ['v1', 'v2']),
  ],
  'digest and tag that belong together': [
    image,
    when(api.delete('app', '@a:v1'), ['a:v1', 'a:v2']),
    seen(docker.tags('app'), []),
  ],
  'what is not there fails alone': [
    image,
    when(api.delete('app', 'none', 'v1', '@b'), ['a:v1', 'ImageNotFound', 'ImageNotFound']),
    seen(docker.tags('app'), ['v2']),
  ],
  'a child of an index is kept by the API': [
    index,
    when(api.delete('app', '@a'), ['ImageReferencedByManifestList']),
    seen(docker.pull('app', '@a'), 'a'),
  ],
  'a child of an index is kept by docker': [
    index,
    when(docker.remove('app', '@b'), 'UNSUPPORTED'),
    seen(api.get('app', '@b'), 'b'),
  ],
  'the only tag of a child is kept by the API': [
    index,
    when(api.delete('app', 'b'), ['ImageReferencedByManifestList']),
    seen(docker.pull('app', 'b'), 'b'),
  ],
  'the only tag of a child goes by docker, the child stays': [
    index,
    when(docker.remove('app', 'b')),
    seen(api.get('app', 'b'), 'ImageNotFound'),
    seen(api.get('app', '@b'), 'b'),
  ],
  'children can go after their index, in one call': [
    index,
    when(api.delete('app', '@index', '@a', '@b'), ['index:all', 'a', 'b:b']),
    seen(docker.tags('app'), []),
    seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
  ],
  'children before their index, in one call, stay': [
    index,
    when(api.delete('app', '@a', '@index'), ['index:all', 'ImageReferencedByManifestList']),
    seen(docker.pull('app', '@a'), 'a'),
    seen(docker.pull('app', 'all'), 'MANIFEST_UNKNOWN'),
  ],
  'the index goes by docker, then its children by the API': [
    index,
    when(docker.remove('app', '@index')),
    when(api.delete('app', '@a', '@b'), ['a', 'b:b']),
    seen(api.images('app'), []),
  ],
  'what was deleted can be pushed again': [
    image,
    when(api.delete('app', '@a'), ['a:v1', 'a:v2']),
    when(docker.push('app', 'v3', 'a')),
    seen(api.tags('app'), ['v3']),
  ],
  'layers of a deleted image go with the garbage': [
    image,
    when(api.delete('app', '@a'), ['a:v1', 'a:v2']),
    given(daysPass(2), garbageIsCollected()),
    seen(docker.hasBlob('app', 'layer of a'), false),
    seen(api.availability('app', 'layer of a'), 'UNAVAILABLE'),
  ],
  'an image deleted here is still in the other repository': [
    image,
    given(api.repository('copy'), docker.push('copy', 'v1', 'a')),
    when(docker.remove('app', '@a')),
    given(daysPass(2), garbageIsCollected()),
    seen(api.get('copy', 'v1'), 'a'),
    seen(docker.blob('copy', 'layer of a'), 'layer of a'),
  ],
  'nothing can be deleted in a repository that is not there': [
    when(api.delete('none', 'v1'), 'RepositoryNotFoundException'),
    when(docker.remove('none', 'v1'), 'NAME_UNKNOWN'),
  ],
})
