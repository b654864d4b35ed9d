import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { hasClients, testWith } from '../support/clients/client-test.ts'
import { type Docker, startDocker } from '../support/clients/docker.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'

const needed = ['docker', 'dockerd', 'busybox'] as const
const test = testWith(...needed)

describe('the Docker engine pushes, pulls and runs', () => {
  const stage = useStage({ repositories: ['dk/app', 'dk/imported', 'dk/multi', 'dk/big'] })
  let docker: Docker
  const reference = (name: string) => `${stage.host}/dk/${name}`
  /** The manifest's digest that the engine knows for an image. */
  const digestOf = async (name: string) => {
    const printed = await docker.run(['image', 'inspect', '--format', '{{index .RepoDigests 0}}', reference(name)])
    return printed.trim().split('@')[1] ?? ''
  }

  beforeAll(async () => {
    if (hasClients(...needed)) docker = await startDocker({ dir: stage.path('docker') })
  }, 90_000)
  afterAll(() => docker?.stop(), 60_000)

  test('without a login there are no credentials; a wrong password is refused; the right one is accepted', async () => {
    await writeBuildContext(stage.path('context'), 'docker')
    await docker.run(['build', '-q', '-t', reference('app:v1'), stage.path('context')])
    expect(await docker.failure(['push', reference('app:v1')])).toContain('no basic auth credentials')
    const login = ['login', '-u', 'AWS', '--password-stdin', stage.host]
    expect(await docker.failure(login, { input: 'wrong' })).not.toBe('')
    expect(await docker.run(login, { input: stage.password })).toContain('Login Succeeded')
  })

  test('an image built from nothing is pushed, forgotten, pulled and run', async () => {
    await docker.run(['push', reference('app:v1')])
    const stored = await storedManifest(stage, 'dk/app', 'v1')
    expect(await digestOf('app:v1')).toBe(stored.digest)
    const id = (await docker.run(['image', 'inspect', '--format', '{{.Id}}', reference('app:v1')])).trim()
    await docker.run(['rmi', '-f', reference('app:v1')])
    expect(await docker.run(['pull', reference('app:v1')])).toContain(`Digest: ${stored.digest}`)
    expect((await docker.run(['image', 'inspect', '--format', '{{.Id}}', reference('app:v1')])).trim()).toBe(id)
    const said = await docker.run(['run', '--rm', '--network', 'none', reference('app:v1'), 'world'])
    expect(said.trim()).toBe('hello world')
  })

  test('pull by digest gives the same image', async () => {
    const { digest } = await storedManifest(stage, 'dk/app', 'v1')
    const pulled = await docker.run(['pull', '-q', `${reference('app')}@${digest}`])
    expect(pulled.trim()).toBe(`${reference('app')}@${digest}`)
  })

  test('a second push of layers that are there sends none of them', async () => {
    await docker.run(['tag', reference('app:v1'), reference('app:again')])
    expect(await docker.run(['push', reference('app:again')])).toContain('Layer already exists')
    const [first, again] = await Promise.all(['v1', 'again'].map((tag) => storedManifest(stage, 'dk/app', tag)))
    expect(again?.digest).toBe(first?.digest ?? '')
  })

  test('layers known from another repository are accepted in a new one', async () => {
    await docker.run(['tag', reference('app:v1'), reference('imported:v1')])
    await docker.run(['push', reference('imported:v1')])
    const { digest } = await storedManifest(stage, 'dk/app', 'v1')
    expect((await storedManifest(stage, 'dk/imported', 'v1')).digest).toBe(digest)
  })

  test('one push of a layer of 64 MiB', async () => {
    const archive = await Bun.$`head -c 67108864 /dev/urandom > big.bin && tar -c big.bin`.cwd(stage.dir).arrayBuffer()
    await docker.run(['import', '-', reference('big:v1')], { input: new Uint8Array(archive) })
    await docker.run(['push', reference('big:v1')])
    const { digest } = await storedManifest(stage, 'dk/big', 'v1')
    await docker.run(['rmi', '-f', reference('big:v1')])
    expect(await docker.run(['pull', reference('big:v1')])).toContain(digest)
  })

  test('docker manifest makes a list of two platforms', async () => {
    for (const arch of ['amd64', 'arm64']) {
      const image = buildImage(`docker-${arch}`, { format: 'docker', platform: { os: 'linux', architecture: arch } })
      await push(stage, 'dk/multi', image, arch)
    }
    const children = ['amd64', 'arm64'].map((arch) => reference(`multi:${arch}`))
    await docker.run(['manifest', 'create', '--insecure', reference('multi:all'), ...children])
    const pushed = await docker.run(['manifest', 'push', '--insecure', reference('multi:all')])
    const stored = await storedManifest(stage, 'dk/multi', 'all')
    expect(stored.mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json')
    expect(pushed.trim().split('\n').at(-1)).toBe(stored.digest)
    expect(JSON.parse(stored.bytes.toString()).manifests).toHaveLength(2)
    expect(await docker.run(['pull', '--platform', 'linux/amd64', reference('multi:all')])).toContain(stored.digest)
  })

  test('a push into a repository that does not exist says so', async () => {
    await docker.run(['tag', reference('app:v1'), reference('nowhere:v1')])
    const said = await docker.failure(['push', reference('nowhere:v1')])
    expect(said).toContain(
      "name unknown: The repository with name 'dk/nowhere' does not exist in the registry with id '000000000000'",
    )
    expect((await wire(stage, 'dk/nowhere/tags/list')).status).toBe(404)
  })
})
