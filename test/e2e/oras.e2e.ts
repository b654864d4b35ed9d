import { describe, expect } from 'bun:test'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { client, testWith } from '../support/clients/client-test.ts'
import { type CommandOptions, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, noise, sha256 } from '../support/image-builder.ts'

const test = testWith('oras')

interface Discovered {
  readonly referrers?: readonly { readonly digest: string; readonly artifactType: string }[]
}

describe('oras keeps artifacts, and finds them by what they refer to', () => {
  const stage = useStage({ repositories: ['or/art', 'or/app', 'or/copy'] })
  const image = buildImage('oras')
  const own = (given: CommandOptions = {}) => ({
    cwd: stage.dir,
    ...given,
    env: { DOCKER_CONFIG: stage.path('docker-config'), ORAS_CACHE: '' },
  })
  const oras = (args: string[], given?: CommandOptions) => run([client('oras'), ...args], own(given))
  const plain = '--plain-http'
  const reference = (name: string) => `${stage.host}/or/${name}`
  const discover = async (name: string, ...filter: string[]) => {
    const found = JSON.parse(
      await oras(['discover', plain, '--format', 'json', ...filter, reference(name)]),
    ) as Discovered
    return found.referrers ?? []
  }

  test('login, then push and pull of an artifact of two files', async () => {
    await oras(['login', plain, '-u', 'AWS', '--password-stdin', stage.host], { input: stage.password })
    await writeFile(stage.path('sbom.json'), '{"packages":[]}')
    await writeFile(stage.path('model.bin'), noise('oras', 6_000_000))
    const files = ['sbom.json:application/json', 'model.bin:application/octet-stream']
    await oras(['push', plain, reference('art:v1'), '--artifact-type', 'application/vnd.example.thing', ...files])
    const stored = await storedManifest(stage, 'or/art', 'v1')
    expect(JSON.parse(stored.bytes.toString()).artifactType).toBe('application/vnd.example.thing')
    await mkdir(stage.path('out'))
    expect(await oras(['pull', plain, '-o', 'out', reference('art:v1')])).toContain(stored.digest)
    for (const file of ['sbom.json', 'model.bin']) {
      const [sent, received] = await Promise.all(
        [stage.path(file), stage.path('out', file)].map((path) => readFile(path)),
      )
      expect(sha256(received ?? '')).toBe(sha256(sent ?? ''))
    }
  })

  test('attach finds the referrers API: no fallback tag is written, discover lists by type', async () => {
    await push(stage, 'or/app', image, 'v1')
    for (const type of ['application/spdx+json', 'application/vnd.example.report']) {
      await oras([
        'attach',
        plain,
        '--artifact-type',
        type,
        '--annotation',
        `type=${type}`,
        reference('app:v1'),
        'sbom.json:application/json',
      ])
    }
    const found = await discover('app:v1')
    expect(found.map(({ artifactType }) => artifactType).toSorted()).toEqual([
      'application/spdx+json',
      'application/vnd.example.report',
    ])
    const filtered = await discover('app:v1', '--artifact-type', 'application/spdx+json')
    expect(filtered.map(({ artifactType }) => artifactType)).toEqual(['application/spdx+json'])
    const tags = await oras(['repo', 'tags', plain, reference('app')])
    expect(tags.trim()).toBe('v1')
  })

  test('cp -r takes an image along with its referrers', async () => {
    await oras(['cp', '-r', '--from-plain-http', '--to-plain-http', reference('app:v1'), reference('copy:v1')])
    expect(await servesEveryByte(stage, 'or/copy', image)).toBe(true)
    const [from, to] = await Promise.all([discover('app:v1'), discover('copy:v1')])
    const digests = (found: typeof from) => found.map(({ digest }) => digest).toSorted()
    expect(digests(to)).toEqual(digests(from))
  })

  test('manifest, blob and index commands agree with what is stored', async () => {
    expect(sha256(await oras(['manifest', 'fetch', plain, reference('app:v1')]))).toBe(image.manifest.digest)
    const layer = image.layers[1]
    const fetched = ['blob', 'fetch', plain, '--output', 'layer', `${reference('app')}@${layer?.digest}`]
    await oras(fetched)
    expect(sha256(await readFile(stage.path('layer')))).toBe(layer?.digest ?? '')
    await oras(['tag', plain, reference('app:v1'), 'v2', 'v3'])
    await oras(['manifest', 'index', 'create', plain, reference('app:idx'), 'v2', 'v3'])
    expect((await storedManifest(stage, 'or/app', 'idx')).mediaType).toBe('application/vnd.oci.image.index.v1+json')
    expect((await oras(['repo', 'tags', plain, reference('app')])).trim().split('\n')).toEqual([
      'idx',
      'v1',
      'v2',
      'v3',
    ])
  })

  test('repo ls lists the repositories', async () => {
    expect((await oras(['repo', 'ls', plain, stage.host])).trim().split('\n').toSorted()).toEqual([
      'or/app',
      'or/art',
      'or/copy',
    ])
  })

  test('delete removes an artifact, and a referrer from its subject', async () => {
    await oras(['manifest', 'delete', plain, '-f', reference('art:v1')])
    expect((await wire(stage, 'or/art/manifests/v1')).status).toBe(404)
    const [referrer] = await discover('copy:v1')
    await oras(['manifest', 'delete', plain, '-f', `${reference('copy')}@${referrer?.digest}`])
    expect(await discover('copy:v1')).toHaveLength(1)
  })
})
