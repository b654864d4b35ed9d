import { afterEach, beforeEach, expect, test } from 'bun:test'
import { CreateRepositoryCommand, ECRClient, GetAuthorizationTokenCommand } from '@aws-sdk/client-ecr'
import { type App, createApp } from '../src/app.ts'
import { readConfig } from '../src/config/config.ts'
import { silentLogger } from '../src/lib/logger.ts'
import { type HttpServer, startHttpServer } from '../src/protocols/http/server.ts'
import { ecrClient } from './support/start-registry.ts'

const DAY_MS = 86_400_000
const ROOT = { accessKeyId: 'AKIA0000000000000000', secretAccessKey: 'the-secret-of-the-root-key-is-long' }

let app: App
let server: HttpServer
let client: ECRClient

beforeEach(async () => {
  // A key that the registry knows: its signatures are verified, their dates included.
  const { config } = readConfig({
    ECRU_MEMORY: 'true',
    ECRU_ROOT_ACCESS_KEY_ID: ROOT.accessKeyId,
    ECRU_ROOT_SECRET_ACCESS_KEY: ROOT.secretAccessKey,
  })
  app = await createApp(config, silentLogger)
  const listening = { host: '127.0.0.1', port: 0, tls: undefined, idleTimeoutMs: 60_000, logger: silentLogger }
  server = startHttpServer(listening, app.handle)
  client = ecrClient(server.url)
})

afterEach(async () => {
  client.destroy()
  await server.close(0)
  await app.close()
})

const advance = async (advanceSeconds: number) => {
  const answer = await fetch(`${server.url}/_ecru/clock`, { method: 'POST', body: JSON.stringify({ advanceSeconds }) })
  return (await answer.json()) as { readonly now: string }
}

test('when the clock was moved, times are those of the clock, and signatures those of today', async () => {
  const { now } = await advance(30 * 86_400)
  expect(Date.parse(now) - Date.now()).toBeGreaterThan(29 * DAY_MS)
  const root = new ECRClient({ endpoint: server.url, region: 'us-east-1', credentials: ROOT, maxAttempts: 1 })
  try {
    const { repository } = await root.send(new CreateRepositoryCommand({ repositoryName: 'app' }))
    expect((repository?.createdAt?.getTime() ?? 0) - Date.parse(now)).toBeWithin(-1000, 60_000)
    const { authorizationData } = await root.send(new GetAuthorizationTokenCommand({}))
    expect((authorizationData?.[0]?.expiresAt?.getTime() ?? 0) - Date.parse(now)).toBeWithin(DAY_MS / 2 - 1000, DAY_MS)
  } finally {
    root.destroy()
  }
  const info = (await (await fetch(`${server.url}/_ecru/info`)).json()) as { readonly uptimeSeconds: number }
  expect(info.uptimeSeconds).toBeLessThan(3600)
})

test('a registry that was reset begins anew', async () => {
  const create = () => client.send(new CreateRepositoryCommand({ repositoryName: 'app' }))
  await create()
  const answer = await fetch(`${server.url}/_ecru/reset`, { method: 'POST', body: '{}' })
  expect(await answer.json()).toEqual({ repositories: 1 })
  expect((await create()).repository?.repositoryName).toBe('app')
})
