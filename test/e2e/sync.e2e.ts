import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRepositoryCommand } from '@aws-sdk/client-ecr'
import { testWith } from '../support/clients/client-test.ts'
import { startDistribution } from '../support/clients/distribution.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, servesEveryByte, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, noise } from '../support/image-builder.ts'
import { ecrClient, ownEnvironment, program, startRegistry } from '../support/start-registry.ts'

const test = testWith('docker-registry')
const TEST_MS = 120_000

const image = (seed: string, bytes = 50_000) =>
  buildImage(seed, { layers: [{ noise: noise(seed, bytes) }, { base: 'shared' }] })
const NAMES = ['team/app', 'team/tools', 'team/old', 'other/app']
const TAGS = ['1.0.0', '1.1.0', '2.0.0', 'latest']

describe('whole registries are mirrored', () => {
  let stage: Stage
  let dir: string
  const at = (...parts: string[]) => join(dir, ...parts)
  const sync = (...args: string[]) => [...program(), 'sync', ...args, '--json', '--data-dir', at('data')]
  const synced = (...args: string[]) =>
    run(sync(...args), { env: { DOCKER_CONFIG: at('docker') } }).then((said) => JSON.parse(said))

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-sync-e2e-'))
    stage = await openStage({ dataDir: at('data') })
  }, 60_000)
  afterAll(async () => {
    await stage.close()
    await rm(dir, { recursive: true, force: true })
  })

  test(
    'a docker-registry, by patterns and versions, killed in the middle and gone on with',
    async () => {
      await using registry = await startDistribution(at('distribution'))
      const source = { url: `http://${registry.host}`, password: '' }
      for (const name of NAMES)
        for (const tag of TAGS) await push(source, name, image(`${name}:${tag}`, 2_000_000), tag)
      const pattern = `${registry.host}/team/*`
      const how = ['--exclude', 'team/old', '--prefix', 'mirror/']
      const dry = await synced(pattern, ...how, '--dry-run')
      expect(dry).toMatchObject({ repositories: 2, tags: 8, copiedImages: 8, copiedBlobs: 17 })

      const child = Bun.spawn(sync(pattern, ...how, '--parallel', '1'), {
        env: { ...ownEnvironment(), DOCKER_CONFIG: at('docker') },
        stdout: 'ignore',
        stderr: 'ignore',
      })
      const begun = async () => (await wire(stage, 'mirror/team/app/tags/list')).status === 200
      while (child.exitCode === null && !(await begun())) await Bun.sleep(2)
      await Bun.sleep(60)
      child.kill('SIGKILL')
      await child.exited

      const rest = await synced(pattern, ...how)
      expect(rest).toMatchObject({ repositories: 2, tags: 8, failures: [] })
      expect(rest.copiedImages + rest.presentImages).toBe(8)
      for (const name of ['team/app', 'team/tools'])
        for (const tag of TAGS)
          expect(await servesEveryByte(stage, `mirror/${name}`, image(`${name}:${tag}`, 2_000_000))).toBe(true)
      expect(await synced(pattern, ...how)).toMatchObject({ copiedImages: 0, copiedBlobs: 0, copiedBytes: 0 })
      const versions = await synced(`${registry.host}/team/old`, 'versions', '--semver', '^1')
      expect(versions).toMatchObject({ tags: 2, failures: [] })
      // A tag that has moved there moves here.
      await push(source, 'team/app', image('moved'), 'latest')
      expect(await synced(pattern, ...how)).toMatchObject({ copiedImages: 1, failures: [] })
      expect((await storedManifest(stage, 'mirror/team/app', 'latest')).digest).toBe(image('moved').manifest.digest)
    },
    TEST_MS,
  )

  test(
    'another Ecru, with a login of ECR, signatures included; without the login it is refused',
    async () => {
      await using other = await startRegistry()
      const served = { url: other.url, password: await other.password() }
      const ecr = ecrClient(other.url)
      const signed = image('signed')
      const { digest, mediaType, bytes } = signed.manifest
      const signature = buildImage('signature', { manifest: { subject: { digest, mediaType, size: bytes.length } } })
      for (const name of ['far/one', 'far/two']) {
        await ecr.send(new CreateRepositoryCommand({ repositoryName: name }))
        await push(served, name, signed, 'v1')
        await push(served, name, signature)
      }
      ecr.destroy()
      const refused = await attempt(sync(`${other.host}/far/*`))
      expect([refused.exitCode, refused.stderr]).toEqual([1, expect.stringContaining('does not list its repositories')])
      const auth = Buffer.from(`AWS:${served.password}`).toString('base64')
      await mkdir(at('docker'), { recursive: true })
      await writeFile(at('docker/config.json'), JSON.stringify({ auths: { [other.host]: { auth } } }))
      expect(await synced(`${other.host}/far/*`)).toMatchObject({
        repositories: 2,
        tags: 2,
        copiedImages: 4,
        failures: [],
      })
      const answer = await wire(stage, `far/two/referrers/${digest}`)
      const { manifests } = (await answer.json()) as { readonly manifests: readonly { readonly digest: string }[] }
      expect(manifests.map((one) => one.digest)).toEqual([signature.manifest.digest])
    },
    TEST_MS,
  )
})
