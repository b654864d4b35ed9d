import { describe, expect } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { missingBelow, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import {
  buildImage,
  buildIndex,
  sha256,
  writeDockerArchive,
  writeImageDirectory,
  writeOciLayout,
} from '../support/image-builder.ts'

const test = testWith('skopeo')

describe('skopeo copies images in and out without changing a byte', () => {
  const stage = useStage({
    repositories: ['sk/app', 'sk/copy', 'sk/archive', 'sk/multi', 'sk/multi2', 'sk/synced/app'],
  })
  const skopeo = async (...args: string[]) =>
    run([...(await containersTool('skopeo', stage.dir)), '--insecure-policy', ...args])
  const remote = (reference: string) => `docker://${stage.host}/${reference}`
  const src = () => ['--src-tls-verify=false', '--src-creds', `AWS:${stage.password}`]
  const dest = () => ['--dest-tls-verify=false', '--dest-creds', `AWS:${stage.password}`]
  const single = () => ['--tls-verify=false', '--creds', `AWS:${stage.password}`]

  test('login accepts the password of the authorization token and refuses another one', async () => {
    const login = [
      ...(await containersTool('skopeo', stage.dir)),
      'login',
      '--tls-verify=false',
      '--authfile',
      stage.path('auth.json'),
      '-u',
      'AWS',
      '--password-stdin',
      stage.host,
    ]
    expect(await run(login, { input: stage.password })).toContain('Login Succeeded')
    const wrong = await attempt(login, { input: 'not-the-password' })
    expect(wrong.exitCode).not.toBe(0)
    const nobody = await attempt([
      ...(await containersTool('skopeo', stage.dir)),
      'list-tags',
      '--tls-verify=false',
      '--authfile',
      stage.path('none.json'),
      remote('sk/app'),
    ])
    expect(nobody.exitCode).not.toBe(0)
  })

  for (const format of ['oci', 'docker'] as const) {
    test(`one ${format} image keeps its digest from disk to registry to directory`, async () => {
      const image = buildImage(`skopeo-${format}`, { format })
      await writeImageDirectory(stage.path(format), image)
      await skopeo('copy', ...dest(), `dir:${stage.path(format)}`, remote(`sk/app:${format}`))
      expect((await storedManifest(stage, 'sk/app', format)).digest).toBe(image.manifest.digest)
      expect(await servesEveryByte(stage, 'sk/app', image)).toBe(true)
      await skopeo('copy', ...src(), remote(`sk/app:${format}`), `dir:${stage.path(`${format}-dir`)}`)
      expect(await missingBelow(stage.path(`${format}-dir`), image)).toEqual([])
    })
  }

  test('a docker-archive becomes an image that comes back as the same archive content', async () => {
    const image = buildImage('skopeo-archive', { format: 'docker' })
    await writeDockerArchive(stage.path('archive.tar'), image, 'archive:v1')
    const digestFile = stage.path('archive.digest')
    await skopeo(
      'copy',
      ...dest(),
      '--digestfile',
      digestFile,
      `docker-archive:${stage.path('archive.tar')}`,
      remote('sk/archive:v1'),
    )
    const stored = await storedManifest(stage, 'sk/archive', 'v1')
    expect(stored.digest).toBe((await readFile(digestFile, 'utf8')).trim())
    await skopeo('copy', ...src(), remote('sk/archive:v1'), `docker-archive:${stage.path('back.tar')}:archive:v1`)
    await skopeo('copy', `docker-archive:${stage.path('back.tar')}`, `dir:${stage.path('back-dir')}`)
    await skopeo('copy', `docker-archive:${stage.path('archive.tar')}`, `dir:${stage.path('original-dir')}`)
    const [back, original] = await Promise.all(
      ['back-dir', 'original-dir'].map(async (dir) =>
        JSON.parse(await readFile(stage.path(dir, 'manifest.json'), 'utf8')),
      ),
    )
    expect(back.layers).toEqual(original.layers)
    expect(back.config).toEqual(original.config)
  })

  test('--all copies a multi-arch image, both list formats, between repositories', async () => {
    for (const format of ['oci', 'docker'] as const) {
      const platforms = ['amd64', 'arm64', 's390x'].map((architecture) => ({ os: 'linux', architecture }))
      const index = buildIndex(
        platforms.map((platform) => buildImage(`${format}-${platform.architecture}`, { format, platform })),
        format,
      )
      await writeImageDirectory(stage.path(`multi-${format}`), index)
      await skopeo('copy', '--all', ...dest(), `dir:${stage.path(`multi-${format}`)}`, remote(`sk/multi:${format}`))
      expect(await servesEveryByte(stage, 'sk/multi', index)).toBe(true)
      await skopeo('copy', '--all', ...src(), ...dest(), remote(`sk/multi:${format}`), remote(`sk/multi2:${format}`))
      expect((await storedManifest(stage, 'sk/multi2', format)).digest).toBe(index.manifest.digest)
      expect(await servesEveryByte(stage, 'sk/multi2', index)).toBe(true)
      await skopeo('copy', '--all', ...src(), remote(`sk/multi2:${format}`), `dir:${stage.path(`multi-dir-${format}`)}`)
      expect(await missingBelow(stage.path(`multi-dir-${format}`), index)).toEqual([])
    }
  })

  test('inspect and list-tags tell what is there', async () => {
    const image = buildImage('skopeo-inspect')
    await writeOciLayout(stage.path('inspect'), { v1: image })
    for (const tag of ['1.0', '1.1', 'latest'])
      await skopeo('copy', ...dest(), `oci:${stage.path('inspect')}:v1`, remote(`sk/copy:${tag}`))
    const listed = JSON.parse(await skopeo('list-tags', ...single(), remote('sk/copy')))
    expect(listed.Repository).toBe(`${stage.host}/sk/copy`)
    expect(listed.Tags.toSorted()).toEqual(['1.0', '1.1', 'latest'])
    const inspected = JSON.parse(await skopeo('inspect', ...single(), remote('sk/copy:1.1')))
    expect(inspected.Digest).toBe(image.manifest.digest)
    expect(inspected.Layers).toEqual(image.layers.map((layer) => layer.digest))
    const raw = await skopeo('inspect', '--raw', ...single(), remote('sk/copy:latest'))
    expect(sha256(raw)).toBe(image.manifest.digest)
  })

  test('sync mirrors a whole repository to a directory and back under another name', async () => {
    await skopeo(
      'sync',
      '--all',
      '--src',
      'docker',
      '--dest',
      'dir',
      ...src(),
      `${stage.host}/sk/copy`,
      stage.path('synced'),
    )
    await skopeo(
      'sync',
      '--all',
      '--src',
      'docker',
      '--dest',
      'docker',
      ...src(),
      ...dest(),
      `${stage.host}/sk/app`,
      `${stage.host}/sk/synced`,
    )
    for (const tag of ['oci', 'docker']) {
      const [from, to] = await Promise.all([
        storedManifest(stage, 'sk/app', tag),
        storedManifest(stage, 'sk/synced/app', tag),
      ])
      expect(to.digest).toBe(from.digest)
    }
    expect(await missingBelow(stage.path('synced'), buildImage('skopeo-inspect'))).toEqual([])
  })

  test('delete removes the image that a tag names', async () => {
    const { digest } = await storedManifest(stage, 'sk/archive', 'v1')
    await skopeo('delete', ...single(), remote('sk/archive:v1'))
    expect((await wire(stage, `sk/archive/manifests/${digest}`)).status).toBe(404)
    expect((await wire(stage, 'sk/archive/manifests/v1')).status).toBe(404)
  })

  test('a push into a repository that does not exist says so', async () => {
    const answer = await attempt([
      ...(await containersTool('skopeo', stage.dir)),
      '--insecure-policy',
      'copy',
      ...dest(),
      `oci:${stage.path('inspect')}:v1`,
      remote('sk/nowhere:v1'),
    ])
    expect(answer.exitCode).not.toBe(0)
    expect(answer.stderr).toContain(
      "The repository with name 'sk/nowhere' does not exist in the registry with id '000000000000'",
    )
  })
})
