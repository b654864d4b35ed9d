import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { existsSync } from 'node:fs'
import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { startDistribution } from '../support/clients/distribution.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, buildIndex, noise, writeOciLayout } from '../support/image-builder.ts'
import { ownEnvironment, program, startRegistry } from '../support/start-registry.ts'

const test = testWith('skopeo', 'umoci', 'docker-registry')
const TEST_MS = 120_000

const index = buildIndex(
  ['amd64', 'arm64'].map((architecture) =>
    buildImage(`moving-${architecture}`, { platform: { os: 'linux', architecture } }),
  ),
)
const image = buildImage('moving')
const { digest, mediaType, bytes } = image.manifest
const signature = buildImage('moving-signature', { manifest: { subject: { digest, mediaType, size: bytes.length } } })

describe('images move in and out', () => {
  let stage: Stage
  let dir: string
  let dataDir: string
  const at = (...parts: string[]) => join(dir, ...parts)
  const ecru = (...args: string[]) => run([...program(), ...args, '--json']).then((said) => JSON.parse(said))
  const here = () => ['--data-dir', dataDir]
  const skopeo = async (...args: string[]) =>
    run([...(await containersTool('skopeo', dir)), '--insecure-policy', ...args])

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-moving-e2e-'))
    dataDir = at('data')
    stage = await openStage({ dataDir, repositories: ['team/app', 'team/tools'] })
    await push(stage, 'team/app', index, 'v1')
    await push(stage, 'team/app', image, 'v2')
    await push(stage, 'team/app', signature)
    await push(stage, 'team/app', buildImage('untagged'))
    await push(stage, 'team/tools', image, 'latest')
  }, 60_000)
  afterAll(async () => {
    await stage.close()
    await rm(dir, { recursive: true, force: true })
  })

  test(
    'what is exported is read by skopeo and umoci, as a directory and as an archive',
    async () => {
      expect(await ecru('export', at('app'), 'team/app', ...here())).toMatchObject({ tags: 2, failures: [] })
      await skopeo('copy', '--all', `oci:${at('app')}:v1`, `dir:${at('v1')}`)
      await skopeo('copy', `oci:${at('app')}:v2`, `oci:${at('again')}:v2`)
      await run([client('umoci'), 'unpack', '--rootless', '--image', `${at('app')}:v2`, at('bundle')])
      expect(existsSync(at('bundle/rootfs/etc/seed'))).toBe(true)
      expect(await ecru('export', at('app.tar'), 'team/app', ...here())).toMatchObject({ failures: [] })
      await skopeo('copy', `oci-archive:${at('app.tar')}:v2`, `dir:${at('v2')}`)
      expect(bytes.equals(await readFile(at('v2/manifest.json')))).toBe(true)
      expect(await ecru('export', at('app'), 'team/app', ...here())).toMatchObject({ copiedImages: 0, copiedBlobs: 0 })
      const before = await readFile(at('app/index.json'), 'utf8')
      const dry = await ecru('export', at('app'), 'team/tools', '--dry-run', ...here())
      expect(dry).toMatchObject({ isDryRun: true, tags: 1, copiedImages: 0 })
      expect(await readFile(at('app/index.json'), 'utf8')).toBe(before)
      const other = await attempt(
        [...program(), 'export', at('none'), '--all', '--account', '111122223333', ...here()],
        { env: { AWS_ACCESS_KEY_ID: 'any', AWS_SECRET_ACCESS_KEY: 'key' } },
      )
      expect([other.exitCode, other.stderr]).toEqual([1, expect.stringContaining('and not of 111122223333')])
    },
    TEST_MS,
  )

  test(
    'everything goes to a data directory that no server holds, and comes from there, the same',
    async () => {
      const exported = await ecru('export', at('all.tar'), '--all', ...here())
      expect(exported).toMatchObject({ repositories: 2, failures: [] })
      const other = at('offline')
      await mkdir(other)
      expect(await ecru('import', at('all.tar'), '--data-dir', other)).toMatchObject({ tags: 3, failures: [] })
      const again = await ecru('import', at('all.tar'), '--data-dir', other)
      expect(again).toMatchObject({ copiedImages: 0, copiedBlobs: 0, copiedBytes: 0 })
      expect(await ecru('export', at('back'), '--all', '--data-dir', other)).toMatchObject({ failures: [] })
      await using registry = await startRegistry({ dataDir: other })
      const served = { url: registry.url, password: await registry.password() }
      expect(await servesEveryByte(served, 'team/app', index)).toBe(true)
      expect(await servesEveryByte(served, 'team/app', image)).toBe(true)
      expect((await storedManifest(served, 'team/tools', 'latest')).digest).toBe(digest)
      const { manifests } = (await (await wire(served, `team/app/referrers/${digest}`)).json()) as {
        readonly manifests: readonly { readonly digest: string }[]
      }
      expect(manifests.map((one) => one.digest)).toEqual([signature.manifest.digest])
    },
    TEST_MS,
  )

  test(
    'layouts that skopeo made come in, and archives of docker save',
    async () => {
      await writeOciLayout(at('built'), { v5: buildImage('others') })
      await skopeo('copy', `oci:${at('built')}:v5`, `oci:${at('by-skopeo')}:v5`)
      await skopeo('copy', `oci:${at('built')}:v5`, `oci-archive:${at('by-skopeo.tar')}:other/app:v6`)
      await skopeo('copy', `oci:${at('built')}:v5`, `docker-archive:${at('saved.tar')}:other/saved:v7`)
      expect(await ecru('import', at('by-skopeo'), 'other/skopeo', ...here())).toMatchObject({ tags: 1, failures: [] })
      expect(await ecru('import', at('by-skopeo.tar'), ...here())).toMatchObject({ tags: 1, failures: [] })
      const saved = await ecru('import', at('saved.tar'), '--prefix', 'mirror/', ...here())
      expect(saved).toMatchObject({ tags: 1, failures: [] })
      expect(await servesEveryByte(stage, 'other/skopeo', buildImage('others'))).toBe(true)
      expect((await storedManifest(stage, 'other/app', 'v6')).digest).toBe(buildImage('others').manifest.digest)
      const pulled = `docker://${stage.host}/mirror/other/saved:v7`
      await skopeo(
        'copy',
        '--src-tls-verify=false',
        '--src-creds',
        `AWS:${stage.password}`,
        pulled,
        `dir:${at('saved')}`,
      )
      expect(existsSync(at('saved/manifest.json'))).toBe(true)
    },
    TEST_MS,
  )

  testWith('buildah', 'crane')(
    'layouts that buildah and crane made come in, and crane reads what is exported',
    async () => {
      const storage = ['--root', at('storage'), '--runroot', at('run'), '--storage-driver', 'vfs']
      const buildah = async (...args: string[]) => run([...(await containersTool('buildah', dir)), ...storage, ...args])
      const container = (await buildah('from', 'scratch')).trim()
      await buildah('config', '--label', 'made.by=buildah', container)
      await buildah('commit', '-q', container, 'localhost/made:v1')
      await buildah('push', '-q', 'localhost/made:v1', `oci:${at('by-buildah')}:v1`)
      expect(await ecru('import', at('by-buildah'), 'by/buildah', ...here())).toMatchObject({ tags: 1, failures: [] })
      const stored = await storedManifest(stage, 'by/buildah', 'v1')
      expect(existsSync(at('by-buildah/blobs/sha256', stored.digest.slice('sha256:'.length)))).toBe(true)

      await mkdir(at('crane'), { recursive: true })
      const auth = Buffer.from(`AWS:${stage.password}`).toString('base64')
      await writeFile(at('crane/config.json'), JSON.stringify({ auths: { [stage.host]: { auth } } }))
      const crane = (...args: string[]) =>
        run([client('crane'), ...args, '--insecure'], { env: { DOCKER_CONFIG: at('crane') } })
      await crane('pull', '--format=oci', `${stage.host}/team/app:v1`, at('by-crane'))
      expect(await ecru('import', at('by-crane'), 'by/crane', ...here())).toMatchObject({ failures: [] })
      expect((await storedManifest(stage, 'by/crane', index.manifest.digest)).digest).toBe(index.manifest.digest)
      expect(await ecru('export', at('for-crane'), 'by/buildah', ...here())).toMatchObject({ failures: [] })
      await stage.createRepository('by/pushed')
      await crane('push', at('for-crane'), `${stage.host}/by/pushed:v1`)
      expect((await storedManifest(stage, 'by/pushed', 'v1')).digest).toBe(stored.digest)
    },
    TEST_MS,
  )

  test(
    'a repository of another registry is synchronised, by tags, without sending anything twice',
    async () => {
      await using registry = await startDistribution(at('distribution'))
      for (const tag of ['1.0', '1.1', '2.0'])
        await skopeo(
          'copy',
          '--dest-tls-verify=false',
          `oci:${at('built')}:v5`,
          `docker://${registry.host}/up/app:${tag}`,
        )
      const source = `${registry.host}/up/app`
      const dry = await ecru('sync', source, 'synced/app', '--tags', '1.*', '--dry-run', ...here())
      expect(dry).toMatchObject({ isDryRun: true, tags: 2, copiedImages: 1 })
      expect((await wire(stage, 'synced/app/tags/list')).status).toBe(404)
      const first = await ecru('sync', source, 'synced/app', '--tags', '1.*', ...here())
      expect(first).toMatchObject({ tags: 2, failures: [] })
      expect(
        ((await (await wire(stage, 'synced/app/tags/list')).json()) as { tags: string[] }).tags.toSorted(),
      ).toEqual(['1.0', '1.1'])
      const second = await ecru('sync', source, 'synced/app', ...here())
      expect(second).toMatchObject({ tags: 3, copiedImages: 0, copiedBlobs: 0 })
      expect(await ecru('sync', `${source}:2.0`, 'synced/one', ...here())).toMatchObject({ tags: 1, failures: [] })
      // Out of this registry into another Ecru, which asks for a login.
      await using other = await startRegistry()
      await mkdir(at('docker'), { recursive: true })
      const auth = Buffer.from(`AWS:${stage.password}`).toString('base64')
      await writeFile(at('docker/config.json'), JSON.stringify({ auths: { [stage.host]: { auth } } }))
      const command = [...program(), 'sync', `${stage.host}/team/app`, '--url', other.url, '--json']
      const said = JSON.parse(await run(command, { env: { DOCKER_CONFIG: at('docker') } }))
      expect(said).toMatchObject({ tags: 2, failures: [] })
      const refused = await attempt(command, { env: { DOCKER_CONFIG: at('nowhere') } })
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('refuses')])
    },
    TEST_MS,
  )

  test(
    'kill -9 in the middle of an export and of an import loses nothing and repeats little',
    async () => {
      const large = buildImage('moving-large', { layers: [{ noise: noise('large', 30_000_000) }, { base: 'x' }] })
      await push(stage, 'team/tools', large, 'large')
      for (const name of ['killed', 'killed.tar', 'killed.tar.zst']) {
        const child = Bun.spawn([...program(), 'export', at(name), 'team/tools', ...here()], {
          env: ownEnvironment(),
          stdout: 'ignore',
          stderr: 'ignore',
        })
        const begun = () =>
          [join(name, 'blobs'), `${name}.part`, `${name}.unpacked.tar.part`].some((one) => existsSync(at(one)))
        while (child.exitCode === null && !begun()) await Bun.sleep(1)
        child.kill('SIGKILL')
        await child.exited
        expect(await ecru('export', at(name), 'team/tools', ...here())).toMatchObject({ tags: 2, failures: [] })
      }
      await cp(at('killed'), at('copied'), { recursive: true })
      const importing = Bun.spawn([...program(), 'import', at('copied'), 'team/moved', ...here()], {
        env: ownEnvironment(),
        stdout: 'ignore',
        stderr: 'ignore',
      })
      await Bun.sleep(350)
      importing.kill('SIGKILL')
      await importing.exited
      expect(await ecru('import', at('killed.tar.zst'), 'team/moved', ...here())).toMatchObject({
        tags: 2,
        failures: [],
      })
      expect(await servesEveryByte(stage, 'team/moved', large)).toBe(true)
    },
    TEST_MS,
  )
})
