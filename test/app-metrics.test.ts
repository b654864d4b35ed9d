import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type App, createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { detachedContext, type RequestContext } from '../src/protocols/http/context.ts'
import { OSV_DIRECTORY } from './support/advisory-data.ts'
import { buildImage, sha256 } from './support/image-builder.ts'
import { UpstreamRegistry } from './support/upstream-registry.ts'

const TOKEN = 'a-scraper-shows-this'

let directory: string
let app: App
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-measured-'))
})
afterEach(async () => {
  await app.close()
  await rm(directory, { recursive: true, force: true })
})

async function open(variables: Readonly<Record<string, string>> = {}): Promise<void> {
  app = await createApp(readConfig({ ECRU_DATA_DIR: directory, ...variables }).config, silentLogger)
}

async function ask(path: string, request: RequestInit = {}, context: Partial<RequestContext> = {}): Promise<Response> {
  return app.handle(new Request(`http://localhost:4566${path}`, request), detachedContext(context))
}

async function samples(): Promise<ReadonlyMap<string, number>> {
  const text = await (await ask('/metrics')).text()
  const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'))
  return new Map(lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.split(' ').at(-1))]))
}

async function api(operation: string, input: object): Promise<Readonly<Record<string, unknown>>> {
  const authorization = `AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host;x-amz-date, Signature=${'0'.repeat(64)}`
  const target = `AmazonEC2ContainerRegistry_V20150921.${operation}`
  const headers = { host: 'localhost:4566', authorization, 'x-amz-date': '20260101T000000Z', 'x-amz-target': target }
  const response = await ask('/', { method: 'POST', headers, body: JSON.stringify(input) })
  return (await response.json()) as Record<string, unknown>
}

/** Pushes an image of one small blob, and pulls it so many times. */
async function pushAndPull(repository: string, times: number, content = '{}'): Promise<void> {
  await api('CreateRepository', { repositoryName: repository })
  const { authorizationData } = await api('GetAuthorizationToken', {})
  const [{ authorizationToken }] = authorizationData as [{ authorizationToken: string }]
  const headers = { authorization: `Basic ${authorizationToken}` }
  const bytes = Buffer.from(content)
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`
  const upload = await ask(`/v2/${repository}/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers,
    body: bytes,
  })
  expect(upload.status).toBe(201)
  const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: bytes.length }
  const mediaType = 'application/vnd.oci.image.manifest.v1+json'
  const manifest = JSON.stringify({ schemaVersion: 2, mediaType, config: descriptor, layers: [descriptor] })
  const url = `/v2/${repository}/manifests/latest`
  const push = () => ask(url, { method: 'PUT', headers: { ...headers, 'content-type': mediaType }, body: manifest })
  expect([(await push()).status, (await push()).status]).toEqual([201, 201])
  for (let count = 0; count < times; count++) expect((await ask(url, { headers })).status).toBe(200)
  expect((await ask(url, { method: 'HEAD', headers })).status).toBe(200)
}

/** Pulls something through a cache, and something else that the upstream refuses. */
async function pullThrough(): Promise<void> {
  await using upstream = await UpstreamRegistry.start()
  const image = buildImage('measured', { layers: [{ a: 'a' }] })
  upstream.addImage(image, 'app', 'latest')
  await api('CreatePullThroughCacheRule', {
    ecrRepositoryPrefix: 'near',
    upstreamRegistryUrl: upstream.url.origin,
  })
  const { authorizationData } = await api('GetAuthorizationToken', {})
  const [{ authorizationToken }] = authorizationData as [{ authorizationToken: string }]
  const headers = { authorization: `Basic ${authorizationToken}` }
  expect((await ask('/v2/near/app/manifests/latest', { headers })).status).toBe(200)
  const config = await ask(`/v2/near/app/blobs/${image.config.digest}`, { headers })
  expect(sha256(await config.bytes())).toBe(image.config.digest)
  upstream.fault = (_, response) => {
    response.writeHead(403).end()
    return true
  }
  expect((await ask('/v2/near/app/manifests/none', { headers })).status).toBe(403)
}

test('pulls, pushes, requests and bytes are told', async () => {
  await open()
  await pushAndPull('team/app', 3)
  const told = await samples()
  const labels = '{account="000000000000",region="us-east-1",repository="team/app"}'
  expect(told.get(`ecru_image_pulls_total${labels}`)).toBe(3)
  // The second push changed nothing.
  expect(told.get(`ecru_image_pushes_total${labels}`)).toBe(1)
  expect(told.get('ecru_http_requests_total{route="manifests",method="GET",code="200"}')).toBe(3)
  expect(told.get('ecru_http_request_duration_seconds_count{route="manifests"}')).toBe(6)
  expect(told.get('ecru_http_received_bytes_total{route="uploads"}')).toBe(2)
  expect(told.get('ecru_api_calls_total{action="ecr:BatchGetImage"}')).toBe(4)
  expect(told.get('ecru_api_calls_total{action="ecr:PutImage"}')).toBe(2)
})

test('storage is told by repository within the bound, and what sharing saves', async () => {
  await open({ ECRU_METRICS_REPOSITORIES: '1', ECRU_QUOTAS: 'repositoriesPerRegistry=4,imagesPerRepository=10' })
  await pushAndPull('one', 1)
  await pushAndPull('two', 1)
  const told = await samples()
  expect(told.get('ecru_storage_stored_bytes')).toBe(2)
  expect(told.get('ecru_storage_held_bytes')).toBe(4)
  expect(told.get('ecru_storage_deduplication_saved_bytes')).toBe(2)
  expect(told.get('ecru_repositories{kind="private"}')).toBe(2)
  expect(told.get('ecru_images')).toBe(2)
  const sizes = [...told].filter(([name]) => name.startsWith('ecru_repository_size_bytes'))
  expect(sizes).toEqual([
    ['ecru_repository_size_bytes{account="000000000000",region="us-east-1",repository="one"}', 2],
    ['ecru_repository_size_bytes{account="",region="",repository="(others)"}', 2],
  ])
  expect(told.get('ecru_image_pulls_total{account="",region="",repository="(others)"}')).toBe(1)
  expect(told.get('ecru_quota_used_ratio{quota="repositoriesPerRegistry"}')).toBe(0.5)
  expect(told.get('ecru_quota_used_ratio{quota="imagesPerRepository"}')).toBe(0.1)
  expect(told.get('ecru_disk_free_bytes')).toBeGreaterThan(0)
})

test('runs of jobs are told, with what they report', async () => {
  await open()
  await app.collectGarbage(false)
  const told = await samples()
  expect(told.get('ecru_job_runs_total{job_name="gc",outcome="success"}')).toBe(1)
  expect(told.get('ecru_job_running{job_name="gc"}')).toBe(0)
  expect(told.get('ecru_job_last_success_timestamp_seconds{job_name="gc"}')).toBeGreaterThan(1e9)
  expect([...told.keys()].some((name) => name.startsWith('ecru_job_reported_total{job_name="gc"'))).toBe(true)
})

test('in the dev profile a program on this machine may read them, and no web page', async () => {
  await open()
  expect((await ask('/metrics')).headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect((await ask('/metrics', {}, { isLoopback: false })).status).toBe(400)
  expect((await ask('/metrics', { headers: { origin: 'https://example.com' } })).status).toBe(400)
})

test('in the server profile it takes the token, or the key of an operator', async () => {
  await open({ ECRU_PROFILE: 'server', ECRU_METRICS_TOKEN: TOKEN })
  const withToken = (token: string) => ask('/metrics', { headers: { authorization: `Bearer ${token}` } })
  expect((await ask('/metrics')).status).toBe(400)
  expect((await withToken('another-token-of-somebody')).status).toBe(400)
  const answer = await withToken(TOKEN)
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  expect(await answer.text()).toContain('ecru_build_info{')
  // It opens nothing else.
  expect((await ask('/_ecru/gc', { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(400)
})

test('the dashboard and the alert rules ask for metrics that are there', async () => {
  await open({
    ECRU_QUOTAS: 'imagesPerRepository=10',
    ECRU_UPSTREAM_ALLOW_PRIVATE: 'true',
    ECRU_UPSTREAM_ALLOW_HTTP: 'true',
  })
  await replicateTo('eu-west-1')
  await pullThrough()
  await pushAndPull('team/app', 1)
  await app.collectGarbage(false)
  await app.importAdvisories(OSV_DIRECTORY, { ecosystems: ['Alpine'] })
  const names = new Set([...(await samples()).keys()].map((sample) => sample.replace(/\{.*/, '')))
  const dashboard = JSON.stringify(JSON.parse(await readFile('deploy/grafana/ecru.json', 'utf8')))
  const rules = Bun.YAML.parse(await readFile('deploy/prometheus/ecru-alerts.yaml', 'utf8')) as {
    readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[]
  }
  const exprs = rules.groups.flatMap((group) => group.rules.map(({ expr }) => expr))
  expect(exprs.length).toBeGreaterThan(5)
  for (const text of [dashboard, ...exprs]) {
    const asked = [...text.matchAll(/\b(?:ecru|process)_[a-z_]+[a-z]\b/g)].map(([name]) => name)
    expect(asked.filter((name) => !names.has(name))).toEqual([])
  }
  expect(dashboard).toContain('ecru_http_request_duration_seconds_bucket')
})

async function replicateTo(region: string): Promise<void> {
  const rules = [{ destinations: [{ region, registryId: '000000000000' }] }]
  const { replicationConfiguration } = await api('PutReplicationConfiguration', { replicationConfiguration: { rules } })
  expect(replicationConfiguration).toEqual({ rules })
}

test('how far replication is can be told for each destination, until everything is there', async () => {
  await open({ ECRU_REPLICATION_DELETES: 'asked' })
  await replicateTo('eu-west-1')
  await pushAndPull('team/app', 0)
  const labels = '{destination="000000000000/eu-west-1"}'
  const told = await samples()
  expect(told.get(`ecru_replication_pending${labels}`)).toBe(1)
  expect(told.get(`ecru_replication_failed${labels}`)).toBe(0)
  expect(told.get(`ecru_replication_lag_seconds${labels}`)).toBeGreaterThanOrEqual(0)
  expect(told.get('ecru_queue_depth{queue="replications"}')).toBe(1)
  await ask('/_ecru/clock', { method: 'POST', body: JSON.stringify({ advanceSeconds: 60 }) })
  expect((await samples()).get(`ecru_replication_pending${labels}`)).toBeUndefined()
  await api('BatchDeleteImage', { repositoryName: 'team/app', imageIds: [{ imageTag: 'latest' }] })
  expect((await samples()).get(`ecru_replication_pending${labels}`)).toBe(1)
  expect((await samples()).get('ecru_queue_depth{queue="replication-deletions"}')).toBe(1)
  await ask('/_ecru/clock', { method: 'POST', body: JSON.stringify({ advanceSeconds: 60 }) })
  expect((await samples()).get(`ecru_replication_pending${labels}`)).toBeUndefined()
})

test('costs are told by repository: shared, own, and what the lifecycle policy would save', async () => {
  await open({ ECRU_PRICE_PER_GB_MONTH: '1073741824', ECRU_LIFECYCLE_INTERVAL: '0' })
  await pushAndPull('one', 1)
  await pushAndPull('two', 1)
  await pushAndPull('three', 1, '{"own":"only here"}')
  const rule = {
    rulePriority: 1,
    selection: { tagStatus: 'any', countType: 'sinceImagePushed', countUnit: 'days', countNumber: 1 },
    action: { type: 'expire' },
  }
  const lifecyclePolicyText = JSON.stringify({ rules: [rule] })
  for (const repositoryName of ['two', 'three'])
    await api('PutLifecyclePolicy', { repositoryName, lifecyclePolicyText })
  const costs = async () => (await (await ask('/_ecru/cost', { method: 'POST' })).json()) as object
  const shared = { sizeBytes: 2, ownBytes: 0, shareBytes: 1, costPerMonth: 1 }
  const own = { repositoryName: 'three', sizeBytes: 19, ownBytes: 19, shareBytes: 19, costPerMonth: 19 }
  expect(await costs()).toMatchObject({
    ...{ pricePerGbMonth: 1073741824, storedBytes: 21, heldBytes: 23, savedByDeduplicationBytes: 2 },
    ...{ costPerMonth: 21, savingPerMonth: 0 },
    repositories: [{ ...own, expiringBytes: 0 }, shared, shared],
  })
  await ask('/_ecru/clock', { method: 'POST', body: JSON.stringify({ advanceSeconds: 3 * 86_400 }) })
  // What another repository holds too is not freed.
  expect(await costs()).toMatchObject({
    savingPerMonth: 19,
    repositories: [{ ...own, expiringBytes: 19, savingPerMonth: 19 }, shared, shared],
  })
})
