import { describe } from 'bun:test'
import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, scenarios, seen, when } from './scenario.ts'

const app = given(api.repository('app'))
const setMounting = (value: string) => api.call('PutAccountSetting', { name: 'BLOB_MOUNTING', value })
const two = given(api.repository('app'), docker.push('app', 'v1', 'a'), api.repository('copy'))

describe('layers', () => {
  scenarios({
    'uploaded by docker are available to the API': [
      app,
      when(docker.pushBlob('app', 'some bytes')),
      seen(api.availability('app', 'some bytes'), 'AVAILABLE'),
    ],
    'uploaded by the API are there for docker': [
      app,
      when(api.layer('app', 'some bytes')),
      seen(docker.hasBlob('app', 'some bytes'), true),
      seen(docker.blob('app', 'some bytes'), 'some bytes'),
    ],
    'that docker uploaded are known to the API': [
      app,
      given(docker.pushBlob('app', 'some bytes')),
      when(api.layer('app', 'some bytes')),
      seen(docker.blob('app', 'some bytes'), 'some bytes'),
    ],
    'that no image needs have no download URL': [
      app,
      given(docker.pushBlob('app', 'some bytes')),
      seen(api.download('app', 'some bytes'), 'LayerInaccessibleException'),
    ],
    'of an image have a download URL': [
      app,
      given(docker.push('app', 'v1', 'a')),
      seen(api.download('app', 'layer of a'), 'layer of a'),
      seen(api.download('app', 'config of a'), 'config of a'),
    ],
    'of another repository are not there': [
      two,
      seen(api.availability('copy', 'layer of a'), 'UNAVAILABLE'),
      seen(docker.blob('copy', 'layer of a'), 'BLOB_UNKNOWN'),
      seen(api.download('copy', 'layer of a'), 'LayersNotFoundException'),
    ],
    'are missed by PutImage and by docker alike': [
      two,
      when(docker.pushManifestOnly('copy', 'v1', 'a'), 'BLOB_UPLOAD_UNKNOWN'),
      when(api.layer('copy', 'layer of a')),
      when(docker.pushManifestOnly('copy', 'v1', 'a'), 'BLOB_UPLOAD_UNKNOWN'),
      when(api.layer('copy', 'config of a')),
      when(docker.pushManifestOnly('copy', 'v1', 'a')),
      seen(api.get('copy', 'v1'), 'a'),
    ],
    'of an image cannot be deleted by docker': [
      app,
      given(docker.push('app', 'v1', 'a')),
      when(docker.removeBlob('app', 'layer of a'), 'UNSUPPORTED'),
      seen(api.availability('app', 'layer of a'), 'AVAILABLE'),
    ],
    'that no image needs can be deleted by docker': [
      app,
      given(api.layer('app', 'some bytes')),
      when(docker.removeBlob('app', 'some bytes')),
      seen(api.availability('app', 'some bytes'), 'UNAVAILABLE'),
    ],
    'are mounted when the account has enabled it': [
      two,
      given(setMounting('ENABLED')),
      when(docker.mount('copy', 'app', 'layer of a'), 'mounted'),
      seen(api.availability('copy', 'layer of a'), 'AVAILABLE'),
    ],
    'are not mounted when the account has disabled it': [
      two,
      given(setMounting('DISABLED')),
      when(docker.mount('copy', 'app', 'layer of a'), 'to be uploaded'),
      seen(api.availability('copy', 'layer of a'), 'UNAVAILABLE'),
    ],
    'that are nowhere are uploaded instead of mounted': [
      two,
      given(setMounting('ENABLED')),
      when(docker.mount('copy', 'app', 'nowhere'), 'to be uploaded'),
      when(docker.mount('copy', 'none', 'layer of a'), 'to be uploaded'),
      when(docker.mount('none', 'app', 'layer of a'), 'NAME_UNKNOWN'),
    ],
    'of an archived image are not mounted': [
      two,
      given(setMounting('ENABLED'), api.archive('app', 'v1')),
      when(docker.mount('copy', 'app', 'layer of a'), 'to be uploaded'),
    ],
  })
})

describe('digests', () => {
  scenarios({
    'are the same on both planes': [
      app,
      when(docker.push('app', 'v1', 'a')),
      seen(api.get('app', '@a'), 'a'),
      when(api.push('app', 'v2', 'b')),
      seen(docker.pull('app', '@b'), 'b'),
    ],
    'make one image of two pushes': [
      app,
      when(docker.push('app', 'v1', 'a')),
      when(api.push('app', '', 'a'), 'ImageAlreadyExistsException'),
      when(docker.push('app', '@a', 'a')),
      seen(api.images('app'), ['a']),
      seen(docker.tags('app'), ['v1']),
    ],
    'that do not fit the manifest are refused': [
      app,
      given(docker.push('app', 'v1', 'a')),
      when(docker.pushManifestOnly('app', '@a', 'b'), 'DIGEST_INVALID'),
      when(async (world) => {
        const { text } = world.manifest('a')
        const input = { repositoryName: 'app', imageManifest: text, imageDigest: world.manifest('b').digest }
        return api.call('PutImage', input)(world)
      }, 'ImageDigestDoesNotMatchException'),
      seen(api.images('app'), ['a']),
    ],
    'of an index name their children by digest': [
      app,
      given(docker.push('app', '@a', 'a')),
      when(docker.pushIndex('app', 'all', 'index', 'a', 'b'), 'MANIFEST_BLOB_UNKNOWN'),
      given(api.push('app', '', 'b')),
      when(docker.pushIndex('app', 'all', 'index', 'a', 'b')),
      seen(api.get('app', 'all'), 'index'),
      seen(docker.pull('app', '@index'), 'index'),
    ],
  })
})

describe('referrers', () => {
  const signed = given(
    api.repository('app'),
    docker.push('app', 'v1', 'a'),
    docker.pushReferrer('app', '@sbom', 'sbom', 'a', 'application/sbom'),
  )
  scenarios({
    'pushed by docker are listed by both': [
      signed,
      seen(docker.referrers('app', 'a'), ['sbom']),
      seen(api.referrers('app', 'a'), ['sbom']),
    ],
    'name their subject in DescribeImages': [
      signed,
      seen(
        async (world) =>
          (await api.detail('app', '@sbom', 'subjectManifestDigest')(world)) === world.manifest('a').digest,
        true,
      ),
      seen(api.detail('app', '@sbom', 'artifactMediaType'), 'application/vnd.oci.image.config.v1+json'),
    ],
    'are filtered by type': [
      signed,
      given(docker.pushReferrer('app', 'sig', 'signature', 'a', 'application/signature')),
      seen(docker.referrers('app', 'a', 'application/signature'), ['signature']),
      seen(api.referrers('app', 'a', { artifactTypes: ['application/signature'] }), ['signature']),
      seen(api.referrers('app', 'a', { artifactTypes: [] }), ['sbom', 'signature']),
      seen(api.referrers('app', 'a', { artifactTypes: ['application/none'] }), []),
    ],
    'may come before their subject': [
      app,
      when(docker.pushReferrer('app', '@sbom', 'sbom', 'a')),
      seen(api.referrers('app', 'a'), ['sbom']),
      when(api.push('app', 'v1', 'a')),
      seen(docker.referrers('app', 'a'), ['sbom']),
    ],
    'are gone for both when one deletes them': [
      signed,
      when(api.delete('app', '@sbom'), ['sbom']),
      seen(docker.referrers('app', 'a'), []),
      seen(api.referrers('app', 'a'), []),
    ],
    'of a repository are not those of another': [
      signed,
      given(api.repository('copy'), docker.push('copy', 'v1', 'a')),
      seen(docker.referrers('copy', 'a'), []),
      seen(api.referrers('copy', 'a'), []),
    ],
  })
})
