import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { client, testWith } from '../support/clients/client-test.ts'
import { type CommandOptions, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, push, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex, writeOciLayout } from '../support/image-builder.ts'

const test = testWith('regctl')

describe('regctl copies by layout and removes single tags', () => {
  const stage = useStage({ repositories: ['rc/app', 'rc/copy'] })
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`regctl-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
  )
  const own = (given: CommandOptions = {}) => ({ ...given, env: { REGCTL_CONFIG: stage.path('regctl.json') } })
  const regctl = async (args: string[], given?: CommandOptions) =>
    (await run([client('regctl'), ...args], own(given))).trim()
  const reference = (name: string) => `${stage.host}/rc/${name}`

  test('login over plain HTTP', async () => {
    await regctl(['registry', 'set', '--tls', 'disabled', '--skip-check', stage.host])
    await regctl(['registry', 'login', stage.host, '-u', 'AWS', '--pass-stdin'], { input: stage.password })
    expect(await regctl(['repo', 'ls', stage.host])).toBe('rc/app\nrc/copy')
  })

  test('an index goes from a layout to the registry, to another repository and back to a layout', async () => {
    await writeOciLayout(stage.path('layout'), { all: index })
    await regctl(['image', 'copy', `ocidir://${stage.path('layout')}:all`, reference('app:all')])
    expect(await servesEveryByte(stage, 'rc/app', index)).toBe(true)
    await regctl(['image', 'copy', reference('app:all'), reference('copy:all')])
    expect(await servesEveryByte(stage, 'rc/copy', index)).toBe(true)
    await regctl(['image', 'copy', reference('copy:all'), `ocidir://${stage.path('back')}:all`])
    expect(await missingBelow(stage.path('back'), index)).toEqual([])
  })

  test('tag rm takes one tag away and leaves the image and its other tags', async () => {
    const image = buildImage('regctl-tags')
    for (const tag of ['one', 'two']) await push(stage, 'rc/app', image, tag)
    await regctl(['tag', 'rm', reference('app:one')])
    expect((await wire(stage, 'rc/app/manifests/one')).status).toBe(404)
    expect((await storedManifest(stage, 'rc/app', 'two')).digest).toBe(image.manifest.digest)
    expect(await regctl(['tag', 'ls', reference('app')])).toBe('all\ntwo')
  })

  test('an artifact that refers to an image shows in its tree', async () => {
    await writeFile(stage.path('report.txt'), 'all is well')
    const put = [
      'artifact',
      'put',
      '--subject',
      reference('app:all'),
      '--artifact-type',
      'application/vnd.example.report',
    ]
    await regctl([...put, '--file', stage.path('report.txt')])
    expect(await regctl(['artifact', 'tree', reference('app:all')])).toContain('application/vnd.example.report')
    expect(await regctl(['artifact', 'list', reference('app:all')])).toContain('application/vnd.example.report')
    expect(await regctl(['tag', 'ls', reference('app')])).toBe('all\ntwo')
  })

  test('blobs are put, read and checked by digest', async () => {
    const digest = await regctl(['blob', 'put', reference('app')], { input: 'a blob of its own' })
    expect(await regctl(['blob', 'get', reference('app'), digest])).toBe('a blob of its own')
    expect(await regctl(['manifest', 'head', reference('app:all')])).toBe(index.manifest.digest)
  })
})
