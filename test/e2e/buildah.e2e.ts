import { describe, expect } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { storedManifest } from '../support/clients/wire.ts'
import { sha256 } from '../support/image-builder.ts'

const test = testWith('buildah', 'busybox')

describe('buildah builds from scratch, pushes and pulls', () => {
  const stage = useStage({ repositories: ['bh/app', 'bh/multi'] })
  const buildah = async (...args: string[]) =>
    run([
      ...(await containersTool('buildah', stage.dir)),
      '--root',
      stage.path('storage'),
      '--runroot',
      stage.path('run'),
      '--storage-driver',
      'vfs',
      ...args,
    ])
  const remote = (name: string) => `docker://${stage.host}/bh/${name}`
  const access = () => ['--tls-verify=false', '--creds', `AWS:${stage.password}`]

  test('a container from scratch becomes an image with one digest here, there and after coming back', async () => {
    await writeBuildContext(stage.path('context'), 'buildah')
    const container = (await buildah('from', 'scratch')).trim()
    await buildah('copy', '-q', container, stage.path('context/busybox'), '/bin/busybox')
    await buildah('copy', '-q', container, stage.path('context/files'), '/data')
    await buildah('config', '--entrypoint', '["/bin/busybox"]', '--label', 'a=b', container)
    await buildah('commit', '-q', container, 'localhost/app:v1')
    await buildah('push', '-q', ...access(), '--digestfile', stage.path('digest'), 'localhost/app:v1', remote('app:v1'))
    const pushed = (await readFile(stage.path('digest'), 'utf8')).trim()
    expect((await storedManifest(stage, 'bh/app', 'v1')).digest).toBe(pushed)
    await buildah('rmi', '-a', '-f')
    await buildah('pull', '-q', ...access(), remote('app:v1'))
    const digest = await buildah('images', '--format', '{{.Digest}}', `${stage.host}/bh/app:v1`)
    expect(digest.trim()).toBe(pushed)
  })

  test('the pulled image holds the files that were copied in', async () => {
    const container = (await buildah('from', '--pull-never', `${stage.host}/bh/app:v1`)).trim()
    const root = (await buildah('mount', container)).trim()
    const copies = await Promise.all(
      [`${root}/data/a.bin`, stage.path('context/files/a.bin')].map((file) => readFile(file)),
    )
    const [pulled, built] = copies.map((bytes) => sha256(bytes))
    expect(pulled).toBe(built ?? '')
    await buildah('umount', container)
    await buildah('rm', container)
  })

  test('layers built from a Dockerfile are pushed in both formats', async () => {
    for (const format of ['oci', 'docker']) {
      await buildah(
        'bud',
        '--isolation',
        'chroot',
        '--layers',
        '-q',
        '--format',
        format,
        '-t',
        `localhost/bud:${format}`,
        stage.path('context'),
      )
      await buildah(
        'push',
        '-q',
        ...access(),
        '--digestfile',
        stage.path('digest'),
        `localhost/bud:${format}`,
        remote(`app:${format}`),
      )
      const stored = await storedManifest(stage, 'bh/app', format)
      expect(stored.digest).toBe((await readFile(stage.path('digest'), 'utf8')).trim())
      expect(stored.mediaType).toContain(format)
    }
  })

  test('manifest push --all sends a list with all its images', async () => {
    await buildah('manifest', 'create', 'localhost/multi:1')
    for (const arch of ['amd64', 'arm64', 'riscv64']) {
      const container = (await buildah('from', 'scratch')).trim()
      await buildah('copy', '-q', container, stage.path('context/files/seed'), `/seed-${arch}`)
      await buildah('config', '--arch', arch, container)
      await buildah('commit', '-q', '--rm', container, `localhost/one:${arch}`)
      await buildah('manifest', 'add', '--arch', arch, 'localhost/multi:1', `containers-storage:localhost/one:${arch}`)
    }
    await buildah(
      'manifest',
      'push',
      ...access(),
      '--all',
      '--digestfile',
      stage.path('digest'),
      'localhost/multi:1',
      remote('multi:1'),
    )
    const index = await storedManifest(stage, 'bh/multi', '1')
    expect(index.digest).toBe((await readFile(stage.path('digest'), 'utf8')).trim())
    const { manifests } = JSON.parse(index.bytes.toString()) as { manifests: { digest: string }[] }
    expect(manifests).toHaveLength(3)
    for (const { digest } of manifests) expect((await storedManifest(stage, 'bh/multi', digest)).digest).toBe(digest)
  })
})
