import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  CreateRepositoryCommand,
  CreateRepositoryCreationTemplateCommand,
  DeleteRegistryPolicyCommand,
  DescribeRepositoriesCommand,
  PutRegistryPolicyCommand,
} from '@aws-sdk/client-ecr'
import { CreateKeyCommand, KMSClient } from '@aws-sdk/client-kms'
import { push } from '../support/clients/wire.ts'
import { answer, type FaultProxy, FINE, startFaultProxy, type Weather } from '../support/fault-proxy.ts'
import { type BuiltImage, buildImage } from '../support/image-builder.ts'
import { type ReplicationSite, startSite, to } from '../support/replication-site.ts'
import { freePort, ownEnvironment, program } from '../support/start-registry.ts'

const [A, B, C] = ['us-east-1', 'eu-west-1', 'eu-central-1'] as const
const ACCOUNT = '000000000000'
const TIMEOUT_MS = 240_000
/** How often one side or the other is killed: `ECRU_TEST_KILLS=200` for a night. */
const KILLS = Number(process.env.ECRU_TEST_KILLS ?? '20')

/** Three installations on loopback: A copies to B, through a network that has its days, and to C; B copies to C. */
describe('three sites', () => {
  let dir: string
  let road: FaultProxy
  let a: ReplicationSite
  let b: ReplicationSite
  let c: ReplicationSite

  beforeAll(async () => {
    dir = await mkdtemp(join(tmpdir(), 'ecru-three-sites-'))
    const port = await freePort()
    road = await startFaultProxy(() => port)
    c = await startSite(dir, C, [])
    const toC = { region: C, url: c.running.url }
    b = await startSite(dir, B, [toC], {}, port)
    a = await startSite(dir, A, [{ region: B, url: road.url }, toC], { ECRU_REPLICATION_DELETES: 'asked' })
    await a.replicate(
      { destinations: to(B, C), repositoryFilters: [{ filter: 'team/', filterType: 'PREFIX_MATCH' }] },
      { destinations: to(B), repositoryFilters: [{ filter: 'only-b/', filterType: 'PREFIX_MATCH' }] },
    )
    await b.replicate({ destinations: to(C) })
    for (const repositoryName of ['team/app', 'only-b/app', 'only-b/large', 'only-b/keys'])
      await a.ecr.send(new CreateRepositoryCommand({ repositoryName }))
  }, TIMEOUT_MS)

  afterAll(async () => {
    await a?.stop()
    await b?.stop()
    await c?.stop()
    await road?.close()
    await rm(dir, { recursive: true, force: true })
  }, TIMEOUT_MS)

  const pushed = async (repository: string, tag: string, image: BuiltImage = buildImage(`${repository}/${tag}`)) => {
    await push(await a.served(), repository, image, tag)
    return image
  }

  async function ecru(...command: string[]): Promise<string> {
    const child = Bun.spawn([...program(), ...command, '--url', a.running.url], {
      env: ownEnvironment(),
      stdout: 'pipe',
      stderr: 'pipe',
    })
    const text = await new Response(child.stdout).text()
    // 1: something has failed, says the status.
    if ((await child.exited) > 1) throw new Error(await new Response(child.stderr).text())
    return text
  }

  const status = async () =>
    JSON.parse(await ecru('replication', 'status', '--json')) as {
      readonly destinations: readonly {
        readonly destination: string
        readonly pending: number
        readonly lagSeconds: number
      }[]
      readonly images: readonly { readonly status: string; readonly failureReason?: string }[]
    }

  test(
    'what A pushes reaches both, and what B got from A goes no further',
    async () => {
      const both = await pushed('team/app', 'both')
      expect([await a.ends('team/app', 'both', B), await a.ends('team/app', 'both', C)]).toEqual([
        'COMPLETE',
        'COMPLETE',
      ])
      expect([await b.holds('team/app', both), await c.holds('team/app', both)]).toEqual([true, true])
      const image = await pushed('only-b/app', 'first')
      expect(await a.ends('only-b/app', 'first', B)).toBe('COMPLETE')
      expect(await b.holds('only-b/app', image)).toBe(true)
      // B's own image goes to C, and by then A's would have come there, too.
      await push(await b.served(), 'only-b/app', buildImage('of-b'), 'of-b')
      expect(await b.ends('only-b/app', 'of-b', C)).toBe('COMPLETE')
      expect(await c.tag('only-b/app', 'first')).toBeUndefined()
      expect(await b.statusOf('only-b/app', 'first')).toEqual({})
    },
    TIMEOUT_MS,
  )

  test(
    'an hour without a network keeps nothing from C, loses nothing, and the lag is seen until the end',
    async () => {
      road.set({ kind: 'gone' })
      const images: BuiltImage[] = []
      for (let minute = 0; minute < 60; minute += 12) {
        const image = await pushed('team/app', `cut-${minute}`)
        await pushed('team/app', 'moving', image)
        images.push(image)
        await a.advance(12 * 60)
      }
      const last = images.at(-1)?.manifest.digest ?? ''
      expect(await a.ends('team/app', 'moving', C)).toBe('COMPLETE')
      expect([await c.tag('team/app', 'moving'), await b.tag('team/app', 'moving')]).toEqual([last, undefined])
      expect((await a.statusOf('team/app', 'cut-0'))[B]).toBe('IN_PROGRESS')
      const { destinations, images: waiting } = await status()
      const [lag] = destinations
      expect(lag).toMatchObject({ destination: `${ACCOUNT}/${B}`, pending: 5 })
      expect(lag?.lagSeconds).toBeGreaterThanOrEqual(3600)
      expect(waiting[0]?.failureReason).toMatch(/cannot be reached/)
      const metrics = await (await fetch(`${a.running.url}/metrics`)).text()
      expect(metrics).toContain(`ecru_replication_pending{destination="${ACCOUNT}/${B}"} 5`)
      expect(metrics).toContain('ecru_queue_depth{queue="replications"} 5')
      road.set(FINE)
      await a.advance(3600)
      for (const [index, image] of images.entries()) {
        expect(await a.ends('team/app', `cut-${index * 12}`, B)).toBe('COMPLETE')
        expect(await b.holds('team/app', image)).toBe(true)
      }
      expect(await b.tag('team/app', 'moving')).toBe(last)
      expect(await ecru('replication', 'status')).toBe('Everything has been copied.\n')
    },
    TIMEOUT_MS,
  )

  const bad: Readonly<Record<string, Weather>> = {
    'with 503': answer('503 Service Unavailable'),
    'with something else': answer('200 OK', ['content-type: text/html'], '<html>welcome</html>'),
    'with half an answer': { kind: 'truncated', afterBytes: 20 },
    'with nothing': { kind: 'gone' },
  }
  for (const [how, weather] of Object.entries(bad))
    test(
      `a site that answers ${how} is tried again, and the status says so until it is true`,
      async () => {
        road.set(weather)
        const tag = how.replaceAll(' ', '-')
        const { connections } = road.counts
        const image = await pushed('team/app', tag)
        while (road.counts.connections === connections) await Bun.sleep(10)
        expect(await a.ends('team/app', tag, C)).toBe('COMPLETE')
        expect((await a.statusOf('team/app', tag))[B]).toBe('IN_PROGRESS')
        road.set(FINE)
        await a.advance(3600)
        expect(await a.ends('team/app', tag, B)).toBe('COMPLETE')
        expect(await b.holds('team/app', image)).toBe(true)
      },
      TIMEOUT_MS,
    )

  test(
    'a site that answers slowly gets everything',
    async () => {
      road.set({ kind: 'slow', delayMs: 300 })
      const image = await pushed('team/app', 'slowly')
      expect(await a.ends('team/app', 'slowly', B)).toBe('COMPLETE')
      road.set(FINE)
      expect(await b.holds('team/app', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'a site that says 429 with a time is not asked before',
    async () => {
      road.set(answer('429 Too Many Requests', ['retry-after: 1800']))
      const { connections } = road.counts
      await pushed('team/app', 'limited')
      while (road.counts.connections === connections) await Bun.sleep(10)
      while (!/limits how often/.test((await status()).images[0]?.failureReason ?? '')) await Bun.sleep(25)
      const asked = road.counts.connections
      await a.advance(1700)
      await pushed('team/app', 'limited-too')
      expect(await a.ends('team/app', 'limited-too', C)).toBe('COMPLETE')
      expect(road.counts.connections).toBe(asked)
      road.set(FINE)
      await a.advance(200)
      for (const tag of ['limited', 'limited-too']) expect(await a.ends('team/app', tag, B)).toBe('COMPLETE')
    },
    TIMEOUT_MS,
  )

  test(
    'a transfer that is cut goes on where it was, also when A is killed meanwhile',
    async () => {
      const mib = 1024 * 1024
      const layers = [{ 'data/large.bin': noiseOf(24 * mib) }]
      const image = buildImage('large', { layers })
      road.set({ kind: 'cut', afterBytes: 10 * mib })
      const before = road.counts.sentBytes
      await pushed('only-b/large', 'v1', image)
      while (road.counts.sentBytes - before < 10 * mib) await Bun.sleep(5)
      await a.kill()
      await a.start()
      while (road.counts.sentBytes - before < 18 * mib) await Bun.sleep(5)
      road.set(FINE)
      await a.advance(3600)
      expect(await a.ends('only-b/large', 'v1', B)).toBe('COMPLETE')
      expect(await b.holds('only-b/large', image)).toBe(true)
      const sizeBytes = image.layers.reduce((total, { bytes }) => total + bytes.length, 0)
      // What lay in buffers between the two sides when a connection broke is sent again.
      expect(road.counts.sentBytes - before).toBeLessThan(sizeBytes + 6 * mib)
    },
    TIMEOUT_MS,
  )

  test(
    'a site whose registry policy forbids it has the image marked as failed, with the reason; then it comes by a retry',
    async () => {
      const statement = {
        ...{ Sid: 'no', Effect: 'Deny', Principal: '*', Action: ['ecr:ReplicateImage'] },
        Resource: [`arn:aws:ecr:${B}:${ACCOUNT}:repository/*`],
      }
      const policyText = JSON.stringify({ Version: '2012-10-17', Statement: [statement] })
      await b.ecr.send(new PutRegistryPolicyCommand({ policyText }))
      const image = await pushed('only-b/app', 'denied')
      expect(await a.ends('only-b/app', 'denied', B)).toBe('FAILED AccessDenied')
      expect(await b.tag('only-b/app', 'denied')).toBeUndefined()
      const report = await ecru('replication', 'status')
      expect(report).toMatch(/copy +.*only-b\/app@sha256:\w+ +denied +.* +FAILED +0 +.* refuses .*\(403\)/)
      await b.ecr.send(new DeleteRegistryPolicyCommand({}))
      expect(await ecru('replication', 'retry')).toMatch(/requested:? +1/i)
      expect(await a.ends('only-b/app', 'denied', B)).toBe('COMPLETE')
      expect(await b.holds('only-b/app', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'a login that has run out there, by the clock there, is made anew',
    async () => {
      await b.advance(13 * 3600)
      const image = await pushed('only-b/app', 'clock')
      expect(await a.ends('only-b/app', 'clock', B)).toBe('COMPLETE')
      expect(await b.holds('only-b/app', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'a secret that cannot be read leaves the site alone until it can',
    async () => {
      const secret = join(dir, A, 'secret')
      await rename(secret, `${secret}.away`)
      await a.kill()
      await a.start()
      const image = await pushed('only-b/app', 'secret')
      const reason = async () => (await status()).images[0]?.failureReason ?? ''
      while ((await reason()) === '') await Bun.sleep(25)
      expect(await reason()).toBe(`The secret for ${B} cannot be read`)
      expect((await a.statusOf('only-b/app', 'secret'))[B]).toBe('IN_PROGRESS')
      await rename(`${secret}.away`, secret)
      await a.advance(3600)
      expect(await a.ends('only-b/app', 'secret', B)).toBe('COMPLETE')
      expect(await b.holds('only-b/app', image)).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'repositories that are missing come by template, encrypted by a key of that site, and their tags stay where they are',
    async () => {
      const kmsOf = ({ running, region }: ReplicationSite) =>
        new KMSClient({
          ...{ endpoint: running.url, region },
          credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'test' },
        })
      const keyOf = async (site: ReplicationSite) => {
        const kms = kmsOf(site)
        const { KeyMetadata } = await kms.send(new CreateKeyCommand({}))
        kms.destroy()
        return KeyMetadata?.Arn ?? ''
      }
      const [ownKey, theirKey] = [await keyOf(a), await keyOf(b)]
      await b.ecr.send(
        new CreateRepositoryCreationTemplateCommand({
          prefix: 'only-b/sealed',
          appliedFor: ['REPLICATION'],
          imageTagMutability: 'IMMUTABLE',
          encryptionConfiguration: { encryptionType: 'KMS', kmsKey: theirKey },
          customRoleArn: `arn:aws:iam::${ACCOUNT}:role/templates`,
        }),
      )
      const repositoryName = 'only-b/sealed/app'
      await a.ecr.send(
        new CreateRepositoryCommand({
          repositoryName,
          encryptionConfiguration: { encryptionType: 'KMS', kmsKey: ownKey },
        }),
      )
      const first = await pushed(repositoryName, 'v1')
      expect(await a.ends(repositoryName, 'v1', B)).toBe('COMPLETE')
      expect(await b.holds(repositoryName, first)).toBe(true)
      const { repositories } = await b.ecr.send(new DescribeRepositoriesCommand({ repositoryNames: [repositoryName] }))
      expect(repositories?.[0]).toMatchObject({
        imageTagMutability: 'IMMUTABLE',
        encryptionConfiguration: { encryptionType: 'KMS', kmsKey: theirKey },
      })
      const second = await pushed(repositoryName, 'v1', buildImage('moved'))
      expect(await a.ends(repositoryName, 'v1', B)).toBe('FAILED ImageTagAlreadyExists')
      expect(await b.tag(repositoryName, 'v1')).toBe(first.manifest.digest)
      expect(await b.holds(repositoryName, second)).toBe(true)
    },
    TIMEOUT_MS,
  )

  test(
    'what is deleted at A goes at B, unless B got it otherwise',
    async () => {
      for (const tag of ['goes', 'stays']) {
        await pushed('only-b/app', tag)
        expect(await a.ends('only-b/app', tag, B)).toBe('COMPLETE')
      }
      await push(await b.served(), 'only-b/app', buildImage('only-b/app/stays'), 'mine')
      road.set({ kind: 'gone' })
      for (const tag of ['goes', 'stays']) await a.deleteImage('only-b/app', tag)
      expect((await ecru('replication', 'status')).split('\n').filter((line) => /^delete /.test(line))).toHaveLength(2)
      road.set(FINE)
      await a.advance(3600)
      while (/^delete /m.test(await ecru('replication', 'status'))) await a.advance(60)
      expect(await b.tag('only-b/app', 'goes')).toBeUndefined()
      expect([await b.tag('only-b/app', 'stays'), await b.tag('only-b/app', 'mine')]).toEqual([
        buildImage('only-b/app/stays').manifest.digest,
        buildImage('only-b/app/stays').manifest.digest,
      ])
    },
    TIMEOUT_MS,
  )

  test(
    `kill -9 of one side or the other, ${KILLS} times while images are pushed, loses nothing and leaves nothing wrong`,
    async () => {
      const newest = new Map<string, string>()
      const images: BuiltImage[] = []
      let seed = 20261121
      const random = () => {
        seed = (seed * 1103515245 + 12345) & 0x7fffffff
        return seed / 0x7fffffff
      }
      for (let round = 0; round < KILLS; round++) {
        const image = buildImage(`kill-${round}`, { layers: [{ 'a.bin': noiseOf(200_000, round) }] })
        images.push(image)
        const stage = await a.served()
        await push(stage, 'team/app', image, `kill-${round}`)
        const moving = `moving-${round % 3}`
        await push(stage, 'team/app', image, moving)
        newest.set(moving, image.manifest.digest)
        await Bun.sleep(random() * 40)
        const victim = random() < 0.5 ? a : b
        await victim.kill()
        await victim.start()
        if (random() < 0.3) await a.advance(60)
      }
      await a.advance(3600)
      for (const [round, image] of images.entries()) {
        for (const place of [B, C]) expect(await a.ends('team/app', `kill-${round}`, place)).toBe('COMPLETE')
        for (const site of [b, c]) expect(await site.holds('team/app', image)).toBe(true)
      }
      for (const [tag, digest] of newest)
        expect([await b.tag('team/app', tag), await c.tag('team/app', tag)]).toEqual([digest, digest])
      expect((await status()).destinations.filter(({ pending }) => pending > 0)).toEqual([])
    },
    TIMEOUT_MS + KILLS * 5_000,
  )
})

/** Bytes that do not compress, cheaply made. */
function noiseOf(sizeBytes: number, seed = 1): Uint8Array {
  const words = new Uint32Array(Math.ceil(sizeBytes / 4))
  let state = (seed + 1) * 2654435761
  for (let at = 0; at < words.length; at++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    words[at] = state
  }
  return new Uint8Array(words.buffer).subarray(0, sizeBytes)
}
