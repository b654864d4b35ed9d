import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  BatchDeleteImageCommand,
  DescribeRepositoriesCommand,
  PutLifecyclePolicyCommand,
  paginateListImages,
} from '@aws-sdk/client-ecr'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push, type Served, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, noise, sha256 } from '../support/image-builder.ts'
import { ecrClient, ownEnvironment, program, startRegistry } from '../support/start-registry.ts'

const REPOSITORIES = ['backup/one', 'backup/two'] as const
const env = { ECRU_GC_INTERVAL: '1s', ECRU_GC_GRACE: '3s', ECRU_LIFECYCLE_INTERVAL: '1s', ECRU_LOG_LEVEL: 'warn' }
const TEST_MS = 180_000

const lifecyclePolicyText = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'tagged', tagPrefixList: ['v'], countType: 'imageCountMoreThan', countNumber: 8 },
      action: { type: 'expire' },
    },
  ],
})

const image = (seed: string) =>
  buildImage(seed, { layers: [{ base: 'shared by all' }, { 'data/noise': noise(seed, 600_000) }] })

const LEAST = 12

/** What each tag has ever been, by `repository:tag`. */
type History = Map<string, Set<string>>

async function pushNoted(stage: Stage, history: History, repository: string, seed: string, tag: string): Promise<void> {
  const one = image(seed)
  const name = `${repository}:${tag}`
  history.set(name, (history.get(name) ?? new Set()).add(one.manifest.digest))
  await push(stage, repository, one, tag)
}

/** Pushes, moves tags and deletes until it is told to stop; answers how many images it has pushed. */
async function load(stage: Stage, history: History, until: AbortSignal): Promise<number> {
  const ecr = ecrClient(stage.url)
  let pushed = 0
  while (!until.aborted || pushed < LEAST) {
    const repositoryName = REPOSITORIES[pushed % REPOSITORIES.length] ?? ''
    await pushNoted(stage, history, repositoryName, `load-${pushed}`, `v${pushed}`)
    await pushNoted(stage, history, repositoryName, `load-${pushed}`, 'latest')
    if (pushed % 5 === 4)
      await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag: `v${pushed}` }] }))
    pushed++
  }
  ecr.destroy()
  return pushed
}

/** Every image of every repository, pulled whole, byte by byte; no tag is anything that it never was. Answers how many there are. */
async function pullEverything(served: Served, history: History): Promise<number> {
  const ecr = ecrClient(served.url)
  let images = 0
  const { repositories = [] } = await ecr.send(new DescribeRepositoriesCommand({}))
  for (const { repositoryName = '' } of repositories)
    for await (const { imageIds = [] } of paginateListImages({ client: ecr }, { repositoryName }))
      for (const { imageDigest = '', imageTag } of imageIds) {
        if (imageTag !== undefined)
          expect([...(history.get(`${repositoryName}:${imageTag}`) ?? [])]).toContain(imageDigest)
        const { bytes } = await storedManifest(served, repositoryName, imageDigest)
        const { config, layers } = JSON.parse(bytes.toString()) as {
          readonly config: { readonly digest: string }
          readonly layers: readonly { readonly digest: string }[]
        }
        for (const { digest } of [config, ...layers]) {
          const answer = await wire(served, `${repositoryName}/blobs/${digest}`)
          if (!answer.ok) throw new Error(`${repositoryName} has no ${digest}`)
          expect(sha256(new Uint8Array(await answer.arrayBuffer()))).toBe(digest)
        }
        images++
      }
  ecr.destroy()
  return images
}

const namesIn = async (path: string): Promise<readonly string[]> => readdir(path).catch(() => [])

/** Waits until a snapshot has begun and not ended. */
async function unfinished(snapshots: string): Promise<void> {
  for (const until = Date.now() + 20_000; Date.now() < until; await Bun.sleep(1))
    for (const name of await namesIn(snapshots))
      if (!(await namesIn(join(snapshots, name))).includes('manifest.json')) return
  throw new Error('no backup has begun')
}

const words = (command: readonly string[]) => command.map((word) => `'${word}'`).join(' ')

/** A restore that is killed more than once, and then ends. */
async function restoreThoughKilled(
  ecru: (...args: string[]) => string[],
  backup: string,
  target: string,
): Promise<void> {
  const restore = ecru('restore', backup, '--data-dir', target, '--json')
  for (const afterMs of [0, 20]) {
    const child = Bun.spawn(restore, { env: ownEnvironment(), stdout: 'ignore', stderr: 'ignore' })
    while (child.exitCode === null && !(await namesIn(target)).includes('restoring.json')) await Bun.sleep(1)
    await Bun.sleep(afterMs)
    child.kill('SIGKILL')
    await child.exited
  }
  if (!(await namesIn(target)).includes('restoring.json')) return
  const early = await attempt(ecru('gc', '--data-dir', target))
  expect([early.exitCode, early.stderr]).toEqual([1, expect.stringContaining('is not all there')])
  expect(JSON.parse(await run(restore))).toMatchObject({ damaged: [], needsMasterKey: false })
}

for (const encryption of ['off', 'on'])
  describe(`a backup of a busy registry, encryption ${encryption}`, () => {
    let dir: string
    const ecru = (...args: string[]) => [...program(), ...args]
    const backUp = (dataDir: string) =>
      ecru('backup', join(dir, 'backup'), '--include-keys', '--data-dir', dataDir, '--json')

    beforeAll(async () => {
      dir = await mkdtemp(join(tmpdir(), 'ecru-backup-e2e-'))
    })
    afterAll(() => rm(dir, { recursive: true, force: true }))

    test(
      'under pushes, deletions, lifecycle and collections, killed and taken up, is whole elsewhere',
      async () => {
        const dataDir = join(dir, 'data')
        const stage = await openStage({
          dataDir,
          env: { ...env, ECRU_ENCRYPTION: encryption },
          repositories: REPOSITORIES,
        })
        const ecr = ecrClient(stage.url)
        for (const repositoryName of REPOSITORIES)
          await ecr.send(new PutLifecyclePolicyCommand({ repositoryName, lifecyclePolicyText }))
        ecr.destroy()
        const history: History = new Map()
        for (let n = 0; n < 3; n++) await pushNoted(stage, history, 'backup/one', `base-${n}`, `base-${n}`)
        const stop = new AbortController()
        const loading = load(stage, history, stop.signal)
        const reports: { readonly blobs: number; readonly copiedBlobs: number; readonly faults: readonly unknown[] }[] =
          []
        for (let round = 0; round < 4; round++) reports.push(JSON.parse(await run(backUp(dataDir))))
        // Into one file, and through a pipe into another installation, under the same load.
        const file = join(dir, 'all.tar.zst')
        reports.push(JSON.parse(await run(ecru('backup', file, '--include-keys', '--data-dir', dataDir, '--json'))))
        const piped = join(dir, 'piped')
        const [from, into] = [
          ecru('backup', '-', '--include-keys', '--data-dir', dataDir),
          ecru('restore', '-', '--data-dir', piped),
        ]
        await run(['bash', '-o', 'pipefail', '-c', `${words(from)} | ${words(into)}`])
        stop.abort()
        expect(await loading).toBeGreaterThanOrEqual(LEAST)
        expect(reports.flatMap(({ faults }) => faults)).toEqual([])
        const quiet = JSON.parse(await run(backUp(dataDir)))

        // Killed in the middle of the next one: what it leaves is in nobody's way.
        for (let n = 0; n < 6; n++) await pushNoted(stage, history, 'backup/one', `kept-${n}`, `kept-${n}`)
        const broken = attempt(backUp(dataDir))
        await unfinished(join(dir, 'backup/snapshots'))
        await stage.registry.kill()
        await broken
        const again = await startRegistry({ dataDir, env: { ...env, ECRU_ENCRYPTION: encryption } })
        const last = JSON.parse(await run(backUp(dataDir)))
        expect(last).toMatchObject({ faults: [], encryptedBlobs: encryption === 'on' ? last.blobs : 0 })
        expect(last.blobs).toBeGreaterThan(0)
        expect(JSON.parse(await run(backUp(dataDir)))).toMatchObject({ copiedBlobs: 0, copiedBytes: 0 })
        await again.stop()
        await stage.close()

        const restored = join(dir, 'restored')
        await restoreThoughKilled(ecru, join(dir, 'backup'), restored)
        const unpacked = join(dir, 'unpacked')
        await restoreThoughKilled(ecru, file, unpacked)
        const full = await attempt(ecru('restore', file, '--data-dir', unpacked))
        expect([full.exitCode, full.stderr]).toEqual([1, expect.stringContaining('is not empty')])
        for (const backup of [join(dir, 'backup'), file])
          expect(JSON.parse(await run(ecru('backup', 'verify', backup, '--json')))).toMatchObject({ damaged: [] })
        // Each snapshot that was taken under load is whole as well.
        const list = JSON.parse(await run(ecru('restore', join(dir, 'backup'), '--list', '--json'))) as {
          readonly snapshot: string
        }[]
        expect(list.length).toBeGreaterThanOrEqual(7)
        const second = join(dir, 'second')
        const snapshot = list[1]?.snapshot ?? ''
        await run(ecru('restore', join(dir, 'backup'), '--snapshot', snapshot, '--data-dir', second))
        for (const place of [restored, second, piped, unpacked]) {
          await using registry = await startRegistry({ dataDir: place, env: { ECRU_ENCRYPTION: encryption } })
          const served = { url: registry.url, password: await registry.password() }
          expect(await pullEverything(served, history)).toBeGreaterThanOrEqual(3)
          const scrub = JSON.parse(await run(ecru('scrub', '--dry-run', '--json', '--data-dir', place)))
          expect(scrub).toMatchObject({ faults: [], lockedBlobs: 0 })
          expect(JSON.parse(await run(ecru('audit', 'verify', '--json', '--data-dir', place)))).toMatchObject({
            isIntact: true,
          })
        }
        expect(quiet.faults).toEqual([])
      },
      TEST_MS,
    )
  })
