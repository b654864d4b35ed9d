import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, open, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateRepositoryCommand, GetAuthorizationTokenCommand, PutImageCommand } from '@aws-sdk/client-ecr'
import { type App, createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { type HttpServer, startHttpServer } from '../src/protocols/http/server.ts'
import { sha256 } from './support/image-builder.ts'
import { filesHolding } from './support/plaintext-search.ts'
import { ecrClient } from './support/start-registry.ts'

const SECRET = 'nobody-may-read-these-words-on-the-disk'
const CONFIG = 'application/vnd.oci.image.config.v1+json'
const MANIFEST = 'application/vnd.oci.image.manifest.v1+json'

let directory: string
let app: App
let server: HttpServer
let authorization: string

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-encryption-'))
})
afterEach(async () => {
  await stop()
  await rm(directory, { recursive: true })
})

async function start(encryption: 'on' | 'off'): Promise<void> {
  const { config } = readConfig({ ECRU_DATA_DIR: directory, ECRU_ENCRYPTION: encryption })
  app = await createApp(config, silentLogger)
  const listening = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger: silentLogger }
  server = startHttpServer(listening, app.handle)
  const ecr = ecrClient(server.url)
  const { authorizationData } = await ecr.send(new GetAuthorizationTokenCommand({}))
  authorization = `Basic ${authorizationData?.[0]?.authorizationToken}`
  await ecr.send(new CreateRepositoryCommand({ repositoryName: 'app' })).catch(() => undefined)
  ecr.destroy()
}

async function stop(): Promise<void> {
  await server.close(0)
  await app.close()
}

async function ask(method: string, path: string, body?: string, type = 'application/octet-stream'): Promise<Response> {
  const url = path.startsWith('http') ? path : `${server.url}/v2/app/${path}`
  const headers = { authorization, 'content-type': type }
  const answer = await fetch(url, { method, headers, ...(body === undefined ? {} : { body }) })
  expect(answer.status).toBeLessThan(300)
  return answer
}

const held = () => filesHolding(directory, SECRET)

/** Pushes an image that holds the secret wherever it can, and looks into the directory after each step. */
async function push(): Promise<{
  readonly found: readonly string[]
  readonly layer: string
  readonly layerText: string
}> {
  const found: string[] = []
  const layerText = `${'a'.repeat(70_000)} ${SECRET} ${'b'.repeat(70_000)} ${SECRET}`
  const begun = (await ask('POST', 'blobs/uploads/')).headers.get('location') ?? ''
  const location = begun.startsWith('/') ? `${server.url}${begun}` : begun
  await ask('PATCH', location, layerText)
  found.push(...(await held()))
  const layer = sha256(layerText)
  await ask('PUT', `${location}?digest=${layer}`)
  found.push(...(await held()))
  const config = JSON.stringify({ config: { Env: [`TOKEN=${SECRET}`] } })
  await ask('POST', `blobs/uploads/?digest=${sha256(config)}`, config)
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: MANIFEST,
    config: { mediaType: CONFIG, digest: sha256(config), size: config.length },
    layers: [{ mediaType: 'application/vnd.oci.image.layer.v1.tar', digest: layer, size: layerText.length }],
    annotations: { 'org.example.note': SECRET },
  })
  await ask('PUT', 'manifests/v1', manifest, MANIFEST)
  found.push(...(await held()))
  // Also what came by the API, of which the audit log tells.
  const ecr = ecrClient(server.url)
  const imageManifest = manifest.replace('example', 'example.api')
  await ecr.send(new PutImageCommand({ repositoryName: 'app', imageManifest, imageTag: 'v2' }))
  ecr.destroy()
  await Bun.sleep(0)
  found.push(...(await held()))
  expect(await (await ask('GET', 'manifests/v1')).text()).toBe(manifest)
  expect(await (await ask('GET', `blobs/${layer}`)).text()).toBe(layerText)
  found.push(...(await held()))
  return { found, layer, layerText }
}

test('with encryption on, nothing that was pushed lies on the disk in clear, at no moment', async () => {
  await start('on')
  const { found, layer, layerText } = await push()
  expect(found).toEqual([])
  const part = await fetch(`${server.url}/v2/app/blobs/${layer}`, {
    headers: { authorization, range: 'bytes=69999-70010' },
  })
  expect([part.status, await part.text()]).toEqual([206, layerText.slice(69_999, 70_011)])
  expect(await app.totals()).toMatchObject({ blobCount: 2 })
  await stop()
  expect(await held()).toEqual([])
  await start('off')
  expect(await (await ask('GET', `blobs/${layer}`)).text()).toBe(layerText)
})

test('without it, it does: the search finds what there is', async () => {
  await start('off')
  const { found } = await push()
  const kinds = new Set(found.map((file) => file.split(/[/.]/)[0]))
  expect([...kinds].sort()).toEqual(['blobs', 'metadata', 'uploads'])
})

test('a layer that was changed on the disk is never sent as if it were whole', async () => {
  await start('on')
  const content = new Uint8Array(4 * 1024 * 1024).fill(7)
  const digest = sha256(content)
  const upload = await fetch(`${server.url}/v2/app/blobs/uploads/?digest=${digest}`, {
    method: 'POST',
    headers: { authorization, 'content-type': 'application/octet-stream' },
    body: content,
  })
  expect(upload.status).toBe(201)
  const hex = digest.slice('sha256:'.length)
  const path = join(directory, 'vaults', 'server', 'sha256', hex.slice(0, 2), hex)
  const file = await open(path, 'r+')
  await file.write(new Uint8Array([1, 2, 3]), 0, 3, 3_000_000)
  await file.close()
  const get = (range?: string) =>
    fetch(`${server.url}/v2/app/blobs/${digest}`, { headers: { authorization, ...(range && { range }) } })
  const whole = await get()
  // The server tells no length of a stream; HEAD does, and what is small enough to be made at once.
  expect([whole.status, whole.headers.get('content-length')]).toEqual([200, null])
  const head = await fetch(`${server.url}/v2/app/blobs/${digest}`, { method: 'HEAD', headers: { authorization } })
  expect(head.headers.get('content-length')).toBe(String(content.byteLength))
  expect((await get('bytes=0-200000')).headers.get('content-length')).toBe('200001')
  await expect(whole.arrayBuffer()).rejects.toThrow()
  const good = await get('bytes=100-2000099')
  expect([good.status, (await good.arrayBuffer()).byteLength]).toEqual([206, 2_000_000])
  expect((await get('bytes=2999990-3000010')).status).toBe(500)
  expect((await app.scrub(true)).faults).toEqual([{ digest, fault: 'corrupt' }] as never)
})
