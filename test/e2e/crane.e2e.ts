import { describe, expect } from 'bun:test'
import { writeFile } from 'node:fs/promises'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, type CommandOptions, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex, tar, writeOciLayout } from '../support/image-builder.ts'

const test = testWith('crane')

describe('crane pushes, validates, copies and deletes', () => {
  const stage = useStage({ repositories: ['cr/app', 'cr/copy', 'cr/multi', 'cr/append'] })
  const own = (given: CommandOptions = {}) => ({ ...given, env: { DOCKER_CONFIG: stage.path('docker-config') } })
  const crane = async (...args: string[]) => (await run([client('crane'), ...args, '--insecure'], own())).trim()
  const reference = (name: string) => `${stage.host}/cr/${name}`
  const image = buildImage('crane')
  const index = buildIndex(
    ['amd64', 'arm64'].map((architecture) =>
      buildImage(`crane-${architecture}`, { platform: { os: 'linux', architecture } }),
    ),
  )

  test('auth login stores the password of the authorization token', async () => {
    const nobody = await attempt([client('crane'), 'ls', reference('app'), '--insecure'], own())
    expect(nobody.exitCode).not.toBe(0)
    await run(
      [client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '--password-stdin'],
      own({ input: stage.password }),
    )
    expect(await crane('ls', reference('app'))).toBe('')
  })

  test('push and pull of an image change no byte, and validate agrees', async () => {
    await writeOciLayout(stage.path('image'), { v1: image })
    expect(await crane('push', stage.path('image'), reference('app:v1'))).toBe(
      `${reference('app')}@${image.manifest.digest}`,
    )
    expect(await servesEveryByte(stage, 'cr/app', image)).toBe(true)
    expect(await crane('digest', reference('app:v1'))).toBe(image.manifest.digest)
    await crane('validate', '--remote', reference('app:v1'))
    await crane('pull', '--format', 'oci', reference('app:v1'), stage.path('pulled'))
    expect(await missingBelow(stage.path('pulled'), image)).toEqual([])
    expect(await crane('manifest', reference('app:v1'))).toBe(image.manifest.bytes.toString())
    expect(await crane('config', reference('app:v1'))).toBe(image.config.bytes.toString())
  })

  test('push and pull of an index bring every platform', async () => {
    await writeOciLayout(stage.path('index'), { all: index })
    await crane('push', '--index', stage.path('index'), reference('multi:layout'))
    const layoutIndex = await storedManifest(stage, 'cr/multi', 'layout')
    expect(layoutIndex.bytes.toString()).toContain(index.manifest.digest)
    expect(await servesEveryByte(stage, 'cr/multi', index)).toBe(true)
    await crane('tag', `${reference('multi')}@${index.manifest.digest}`, 'all')
    await crane('validate', '--remote', reference('multi:all'))
    await crane('pull', '--format', 'oci', reference('multi:all'), stage.path('pulled-index'))
    expect(await missingBelow(stage.path('pulled-index'), index)).toEqual([])
  })

  test('copy between repositories keeps the digest, of images and of indexes', async () => {
    await crane('copy', reference('app:v1'), reference('copy:v1'))
    await crane('copy', reference('multi:all'), reference('copy:all'))
    expect(await servesEveryByte(stage, 'cr/copy', image)).toBe(true)
    expect(await servesEveryByte(stage, 'cr/copy', index)).toBe(true)
    expect(await crane('digest', reference('copy:all'))).toBe(index.manifest.digest)
  })

  test('append adds a layer, index append makes an index of what is there', async () => {
    await writeFile(stage.path('layer.tar'), tar({ 'added/file': 'added' }))
    const appended = await crane(
      'append',
      '-b',
      reference('copy:v1'),
      '-f',
      stage.path('layer.tar'),
      '-t',
      reference('append:v2'),
    )
    const stored = await storedManifest(stage, 'cr/append', 'v2')
    expect(appended).toEndWith(stored.digest)
    expect(JSON.parse(stored.bytes.toString()).layers).toHaveLength(image.layers.length + 1)
    await crane('validate', '--remote', reference('append:v2'))
    await crane(
      'index',
      'append',
      '-m',
      reference('append:v2'),
      '-m',
      reference('app:v1'),
      '-t',
      reference('append:idx'),
    )
    await crane('validate', '--remote', reference('append:idx'))
  })

  test('ls and catalog list all there is', async () => {
    for (let n = 0; n < 12; n++) await crane('tag', reference('app:v1'), `n${n}`)
    const tags = [...Array.from({ length: 12 }, (_, n) => `n${n}`), 'v1']
    expect((await crane('ls', reference('app'))).split('\n').toSorted()).toEqual(tags.toSorted())
    expect((await crane('catalog', stage.host)).split('\n').toSorted()).toEqual([
      'cr/app',
      'cr/append',
      'cr/copy',
      'cr/multi',
    ])
  })

  test('mutate pushes a changed config under a new digest', async () => {
    const digest = (
      await crane('mutate', '--label', 'changed=yes', reference('copy:v1'), '-t', reference('copy:changed'))
    ).split('@')[1]
    expect(digest).not.toBe(image.manifest.digest)
    expect((await storedManifest(stage, 'cr/copy', 'changed')).digest).toBe(digest ?? '')
  })

  test('delete by digest removes the image with its tags', async () => {
    await crane('delete', `${reference('app')}@${image.manifest.digest}`)
    for (const gone of ['v1', 'n3', image.manifest.digest])
      expect((await wire(stage, `cr/app/manifests/${gone}`)).status).toBe(404)
    expect(await crane('ls', reference('app'))).toBe('')
    expect(await servesEveryByte(stage, 'cr/copy', image)).toBe(true)
  })
})
