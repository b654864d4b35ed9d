import { describe, expect } from 'bun:test'
import { readFile } from 'node:fs/promises'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, type CommandOptions, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { storedManifest } from '../support/clients/wire.ts'
import { sha256 } from '../support/image-builder.ts'

const test = testWith('podman', 'busybox')

describe('podman builds, pushes and pulls', () => {
  const stage = useStage({ repositories: ['pod/app', 'pod/multi'] })
  const reference = (name: string) => `${stage.host}/pod/${name}`
  const command = async (...args: string[]) => [
    ...(await containersTool('podman', stage.dir)),
    ...['--root', stage.path('storage'), '--runroot', stage.path('run'), '--storage-driver', 'vfs'],
    ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'file', ...args],
  ]
  const own = (given: CommandOptions = {}) => ({ ...given, env: { REGISTRY_AUTH_FILE: stage.path('auth.json') } })
  const podman = async (args: string[], given?: CommandOptions) => run(await command(...args), own(given))
  const insecure = '--tls-verify=false'

  test('login accepts the password of the authorization token and refuses another one', async () => {
    const login = ['login', insecure, '-u', 'AWS', '--password-stdin', stage.host]
    expect((await attempt(await command(...login), own({ input: 'wrong' }))).exitCode).not.toBe(0)
    expect(await podman(login, { input: stage.password })).toContain('Login Succeeded')
  })

  for (const format of ['oci', 'docker']) {
    test(`an image built as ${format} has one digest here, there and after coming back`, async () => {
      await writeBuildContext(stage.path(format), `podman-${format}`)
      const name = reference(`app:${format}`)
      await podman(['build', '--isolation', 'chroot', '--format', format, '-q', '-t', name, stage.path(format)])
      await podman(['push', insecure, '--digestfile', stage.path('digest'), name])
      const pushed = (await readFile(stage.path('digest'), 'utf8')).trim()
      const stored = await storedManifest(stage, 'pod/app', format)
      expect(stored.digest).toBe(pushed)
      expect(stored.mediaType).toContain(format)
      const id = (await podman(['image', 'inspect', '--format', '{{.Id}}', name])).trim()
      await podman(['rmi', '-f', name])
      expect((await podman(['pull', insecure, '-q', name])).trim()).toBe(id)
      expect((await podman(['image', 'inspect', '--format', '{{.Digest}}', name])).trim()).toBe(pushed)
      expect((await podman(['pull', insecure, '-q', `${reference('app')}@${pushed}`])).trim()).toBe(id)
    })
  }

  test('what was pulled holds the files that were built in', async () => {
    const mounted = (await podman(['image', 'mount', reference('app:oci')])).trim()
    const file = (root: string, path: string) => Bun.file(`${root}/${path}`).bytes()
    const [pulled, built] = await Promise.all([file(mounted, 'data/a.bin'), file(stage.path('oci'), 'files/a.bin')])
    expect(sha256(pulled)).toBe(sha256(built))
    await podman(['image', 'unmount', reference('app:oci')])
  })

  test('a manifest list of two platforms arrives whole', async () => {
    await writeBuildContext(stage.path('multi'), 'podman-multi')
    await podman(['manifest', 'create', 'localhost/multi:1'])
    for (const arch of ['amd64', 'arm64']) {
      const name = `localhost/one:${arch}`
      await podman([
        'build',
        '--isolation',
        'chroot',
        '-q',
        '--no-cache',
        '--platform',
        `linux/${arch}`,
        '-t',
        name,
        stage.path('multi'),
      ])
      await podman(['manifest', 'add', '--arch', arch, 'localhost/multi:1', `containers-storage:${name}`])
    }
    await podman(['manifest', 'push', insecure, '--all', 'localhost/multi:1', `docker://${reference('multi:1')}`])
    const index = await storedManifest(stage, 'pod/multi', '1')
    const { manifests } = JSON.parse(index.bytes.toString()) as {
      manifests: { digest: string; platform: { architecture: string } }[]
    }
    expect(manifests.map(({ platform }) => platform.architecture).toSorted()).toEqual(['amd64', 'arm64'])
    for (const { digest } of manifests) expect((await storedManifest(stage, 'pod/multi', digest)).digest).toBe(digest)
    await podman(['pull', insecure, '-q', '--arch', 'arm64', reference('multi:1')])
  })
})
