import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { writeBuildContext } from '../support/clients/build-context.ts'
import { client, testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex } from '../support/image-builder.ts'
import { program } from '../support/start-registry.ts'

const TEST_MS = 120_000

const index = buildIndex(
  ['amd64', 'arm64'].map((architecture) =>
    buildImage(`interop-${architecture}`, { platform: { os: 'linux', architecture } }),
  ),
)
const image = buildImage('interop', { platform: { os: 'linux', architecture: 'amd64' } })
const { digest, mediaType, bytes } = image.manifest
const signature = buildImage('interop-signature', { manifest: { subject: { digest, mediaType, size: bytes.length } } })

describe('archives and layouts are those of everybody', () => {
  let stage: Stage
  let dir: string
  let dataDir: string
  const at = (...parts: string[]) => join(dir, ...parts)
  const ecru = (...args: string[]) =>
    run([...program(), ...args, '--json', '--data-dir', dataDir]).then((said) => JSON.parse(said))
  const referrers = async (repository: string, of: string) => {
    const answer = await wire(stage, `${repository}/referrers/${of}`)
    const { manifests } = (await answer.json()) as { readonly manifests: readonly { readonly digest: string }[] }
    return manifests.map((one) => one.digest)
  }

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-interop-e2e-'))
    dataDir = at('data')
    stage = await openStage({ dataDir, repositories: ['team/app'] })
    await push(stage, 'team/app', index, 'v1')
    await push(stage, 'team/app', image, 'v2')
    await push(stage, 'team/app', signature)
    const auth = Buffer.from(`AWS:${stage.password}`).toString('base64')
    await mkdir(at('docker'))
    await mkdir(at('dir'))
    await writeFile(at('docker/config.json'), JSON.stringify({ auths: { [stage.host]: { auth } } }))
  }, 60_000)
  afterAll(async () => {
    await stage.close()
    await rm(dir, { recursive: true, force: true })
  })

  testWith('skopeo', 'zstd')(
    'packed archives are read by skopeo once they are unpacked, and come in as they are',
    async () => {
      for (const [name, unpack] of [
        ['app.tar.zst', 'zstd -dc'],
        ['app.tar.gz', 'gzip -dc'],
      ] as const) {
        expect(await ecru('export', at(name), 'team/app')).toMatchObject({ tags: 2, failures: [] })
        expect(await ecru('export', at(name), 'team/app')).toMatchObject({ copiedImages: 0, copiedBlobs: 0 })
        await run(['bash', '-c', `${unpack} ${at(name)} > ${at('plain.tar')}`])
        await run([
          ...(await containersTool('skopeo', dir)),
          '--insecure-policy',
          ...['copy', `oci-archive:${at('plain.tar')}:v2`, `dir:${at('dir', name)}`],
        ])
        expect(bytes.equals(await readFile(at('dir', name, 'manifest.json')))).toBe(true)
        const to = `back/${name.replaceAll('.', '-')}`
        expect(await ecru('import', at(name), to)).toMatchObject({ tags: 2, failures: [] })
        expect(await servesEveryByte(stage, to, index)).toBe(true)
        expect(await referrers(to, digest)).toEqual([signature.manifest.digest])
        const piped = `cat ${at(name)} | ${program().join(' ')} import - piped/app --data-dir ${dataDir} --json`
        expect(JSON.parse(await run(['bash', '-c', piped]))).toMatchObject({ tags: 2, failures: [] })
      }
    },
    TEST_MS,
  )

  testWith('oras')(
    'oras reads what is exported, with what refers to it, and what oras wrote comes in',
    async () => {
      const oras = (...args: string[]) =>
        run([client('oras'), ...args], { env: { DOCKER_CONFIG: at('docker'), ORAS_CACHE: '' } })
      expect(await ecru('export', at('for-oras'), 'team/app')).toMatchObject({ failures: [] })
      const found = JSON.parse(await oras('discover', '--oci-layout', '--format', 'json', `${at('for-oras')}:v2`)) as {
        readonly referrers?: readonly { readonly digest: string }[]
      }
      expect(found.referrers?.map((one) => one.digest)).toEqual([signature.manifest.digest])
      await stage.createRepository('by/oras')
      const target = `${stage.host}/by/oras`
      await oras('cp', '-r', '--from-oci-layout', `${at('for-oras')}:v2`, '--to-plain-http', `${target}:v2`)
      expect(await referrers('by/oras', digest)).toEqual([signature.manifest.digest])
      await oras('cp', '-r', '--from-plain-http', `${target}:v2`, '--to-oci-layout', `${at('by-oras')}:v9`)
      expect(await ecru('import', at('by-oras'), 'from/oras')).toMatchObject({ failures: [] })
      expect((await storedManifest(stage, 'from/oras', 'v9')).digest).toBe(digest)
      expect(await referrers('from/oras', digest)).toEqual([signature.manifest.digest])
    },
    TEST_MS,
  )

  testWith('podman', 'busybox')(
    'podman loads what is exported, and what podman saved comes in, as OCI and as docker does',
    async () => {
      // In private mounts, /run is a directory of this test's; podman takes no path of more than 50 characters.
      const podman = async (...args: string[]) =>
        run([
          ...(await containersTool('podman', dir)),
          ...['--root', at('storage'), '--runroot', '/run/podman', '--storage-driver', 'vfs'],
          ...['--cgroup-manager', 'cgroupfs', '--events-backend', 'file', ...args],
        ])
      expect(await ecru('export', at('for-podman.tar'), 'team/app', '--tags', 'v2')).toMatchObject({
        tags: 1,
        failures: [],
      })
      await podman('pull', '-q', `oci-archive:${at('for-podman.tar')}:v2`)
      await writeBuildContext(at('context'), 'interop')
      await podman('build', '--isolation', 'chroot', '-q', '-t', 'localhost/made/here:v3', at('context'))
      const config = (await podman('image', 'inspect', '--format', '{{.Id}}', 'localhost/made/here:v3')).trim()
      for (const format of ['oci-archive', 'docker-archive', 'oci-dir']) {
        await podman('save', '-q', '--format', format, '-o', at(format), 'localhost/made/here:v3')
        expect(await ecru('import', at(format), `from/podman-${format}`)).toMatchObject({ tags: 1, failures: [] })
        const stored = await storedManifest(stage, `from/podman-${format}`, 'v3')
        const manifest = JSON.parse(stored.bytes.toString()) as { readonly config: { readonly digest: string } }
        expect(manifest.config.digest).toBe(`sha256:${config}`)
      }
      await run(['gzip', at('docker-archive')])
      expect(await ecru('import', at('docker-archive.gz'), 'from/packed')).toMatchObject({ tags: 1, failures: [] })
    },
    TEST_MS,
  )

  testWith('regctl')(
    'regctl reads what is exported, and what regctl exported comes in',
    async () => {
      const regctl = (...args: string[]) =>
        run([client('regctl'), ...args], { env: { REGCTL_CONFIG: at('regctl.json'), DOCKER_CONFIG: at('docker') } })
      await regctl('registry', 'set', stage.host, '--tls', 'disabled')
      expect(await ecru('export', at('for-regctl'), 'team/app')).toMatchObject({ failures: [] })
      await stage.createRepository('by/regctl')
      const target = `${stage.host}/by/regctl:v1`
      await regctl('image', 'copy', `ocidir://${at('for-regctl')}:v1`, target)
      expect(await servesEveryByte(stage, 'by/regctl', index)).toBe(true)
      await regctl('image', 'export', target, at('by-regctl.tar'))
      expect(await ecru('import', at('by-regctl.tar'), 'from/regctl')).toMatchObject({ failures: [] })
      expect(await servesEveryByte(stage, 'from/regctl', index)).toBe(true)
    },
    TEST_MS,
  )
})
