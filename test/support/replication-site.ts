import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import {
  BatchDeleteImageCommand,
  DescribeImageReplicationStatusCommand,
  type ECRClient,
  PutReplicationConfigurationCommand,
  type ReplicationRule,
} from '@aws-sdk/client-ecr'
import { type Served, servesEveryByte, wire } from './clients/wire.ts'
import type { BuiltImage } from './image-builder.ts'
import { ecrClient, freePort, loginPassword, type RunningRegistry, startRegistry } from './start-registry.ts'

const ACCOUNT = '000000000000'
const WITHIN_MS = 60_000

/** Another site, as the file of sites names it. */
export interface Neighbour {
  readonly region: string
  readonly url: string
}

/** One of several installations that copy images to each other: a process that can be killed and started again in its place. */
export interface ReplicationSite {
  readonly region: string
  readonly port: number
  readonly running: RunningRegistry
  readonly ecr: ECRClient
  served(): Promise<Served>
  kill(): Promise<void>
  start(): Promise<void>
  stop(): Promise<void>
  replicate(...rules: ReplicationRule[]): Promise<void>
  /** Moves its clock ahead; what becomes due is done before it returns. */
  advance(seconds: number): Promise<void>
  /** By region of the destination. */
  statusOf(repositoryName: string, imageTag: string): Promise<Readonly<Record<string, string>>>
  /** Waits until the status of a destination is no longer IN_PROGRESS; answers it. */
  ends(repositoryName: string, imageTag: string, region: string): Promise<string>
  /** What a tag leads to. */
  tag(repositoryName: string, tag: string): Promise<string | undefined>
  holds(repositoryName: string, image: BuiltImage): Promise<boolean>
  deleteImage(repositoryName: string, imageTag: string): Promise<void>
}

/** Starts a site with its data below `directory`. `port` so that others can name it before. */
export async function startSite(
  directory: string,
  region: string,
  neighbours: readonly Neighbour[],
  env: Readonly<Record<string, string>> = {},
  port?: number,
): Promise<ReplicationSite> {
  const own = port ?? (await freePort())
  const home = join(directory, region)
  await mkdir(home, { recursive: true })
  const secretAccessKeyFile = join(home, 'secret')
  await writeFile(secretAccessKeyFile, 'test\n')
  const sites = neighbours.map(({ region: place, url }) => ({
    ...{ region: place, endpoint: url, accessKeyId: ACCOUNT, secretAccessKeyFile },
  }))
  const sitesFile = join(home, 'sites.json')
  await writeFile(sitesFile, JSON.stringify(sites))
  const start = () =>
    startRegistry({
      dataDir: join(home, 'data'),
      port: own,
      env: { ECRU_REPLICATION_SITES: sitesFile, ECRU_DEFAULT_REGION: region, ...env },
    })
  let running = await start()
  const ecr = ecrClient(running.url, ACCOUNT, region)
  const served = async () => ({ url: running.url, password: await loginPassword(running.url, ACCOUNT, region) })
  const site: ReplicationSite = {
    region,
    port: own,
    get running() {
      return running
    },
    ecr,
    served,
    kill: () => running.kill(),
    async start() {
      running = await start()
    },
    async stop() {
      ecr.destroy()
      await running.stop()
    },
    async replicate(...rules) {
      await ecr.send(new PutReplicationConfigurationCommand({ replicationConfiguration: { rules } }))
    },
    async advance(advanceSeconds) {
      const answer = await fetch(`${running.url}/_ecru/clock`, {
        method: 'POST',
        body: JSON.stringify({ advanceSeconds }),
      })
      if (!answer.ok) throw new Error(`the clock answers ${answer.status}`)
    },
    async statusOf(repositoryName, imageTag) {
      const { replicationStatuses = [] } = await ecr.send(
        new DescribeImageReplicationStatusCommand({ repositoryName, imageId: { imageTag } }),
      )
      return Object.fromEntries(
        replicationStatuses.map(({ region: place = '', status = '', failureCode }) => [
          place,
          failureCode === undefined ? status : `${status} ${failureCode}`,
        ]),
      )
    },
    async ends(repositoryName, imageTag, place) {
      const until = Date.now() + WITHIN_MS
      for (;;) {
        const status = (await site.statusOf(repositoryName, imageTag))[place] ?? 'none'
        if (status !== 'IN_PROGRESS' || Date.now() > until) return status
        await Bun.sleep(25)
      }
    },
    async tag(repositoryName, tag) {
      const answer = await wire(await served(), `${repositoryName}/manifests/${tag}`, { method: 'HEAD' })
      return answer.headers.get('docker-content-digest') ?? undefined
    },
    holds: async (repositoryName, image) => servesEveryByte(await served(), repositoryName, image),
    async deleteImage(repositoryName, imageTag) {
      const { failures } = await ecr.send(new BatchDeleteImageCommand({ repositoryName, imageIds: [{ imageTag }] }))
      if (failures !== undefined && failures.length > 0) throw new Error(JSON.stringify(failures))
    },
  }
  return site
}

export const to = (...regions: string[]) => regions.map((region) => ({ region, registryId: ACCOUNT }))
