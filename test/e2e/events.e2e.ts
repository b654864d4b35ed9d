import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { createHmac } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { awsCli } from '../support/clients/aws-cli.ts'
import { testWith } from '../support/clients/client-test.ts'
import { attempt } from '../support/clients/run-command.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { push } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { freePort, ownEnvironment, program } from '../support/start-registry.ts'

const test = testWith('aws')
const TEST_MS = 120_000
const ACCOUNT = 'arn:aws:ecru:us-east-1:000000000000'

interface Received {
  readonly id: string
  readonly source: string
  readonly detail: Readonly<Record<string, unknown>>
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const startedMs = performance.now(); !(await isSo()); await Bun.sleep(20))
    if (performance.now() - startedMs > 60_000) throw new Error(`in vain: ${what}`)
}

describe('events', () => {
  let directory: string
  let stage: Stage
  let port: number
  let hook: ReturnType<typeof Bun.serve>
  let hooks: { signature: string; body: string }[]
  let answer: () => Response

  const lines = () => join(directory, 'events.jsonl')
  const received = async (): Promise<readonly Received[]> => {
    if (!existsSync(lines())) return []
    const text = await readFile(lines(), 'utf8')
    return text
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Received)
  }
  const open = () =>
    openStage({
      port,
      dataDir: join(directory, 'data'),
      env: {
        ECRU_EVENTS_TARGETS: join(directory, 'targets.json'),
        ECRU_EVENTS_ALLOW_PRIVATE: 'true',
        ECRU_EVENTS_ALLOW_HTTP: 'true',
      },
    })
  const ecru = (...args: readonly string[]) =>
    attempt([...program(), 'events', ...args, '--url', stage.url], { env: ownEnvironment() })
  const events = (...args: readonly string[]) => awsCli(stage).json('events', ...args)

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'ecru-events-'))
    port = await freePort()
    hooks = []
    answer = () => new Response('ok')
    hook = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        hooks.push({ signature: request.headers.get('ecru-signature') ?? '', body: await request.text() })
        return answer()
      },
    })
    await writeFile(join(directory, 'targets.json'), JSON.stringify({ lines: { kind: 'file', path: lines() } }))
    stage = await open()
  }, TEST_MS)
  afterAll(async () => {
    await stage.close()
    await hook.stop(true)
    await rm(directory, { recursive: true, force: true })
  }, TEST_MS)

  test(
    'a push reaches a signed webhook and a file, by rules of the AWS CLI',
    async () => {
      await stage.createRepository('prod/app', 'test/app')
      const pattern = {
        source: ['aws.ecr'],
        detail: { 'repository-name': [{ prefix: 'prod/' }], 'action-type': ['PUSH'] },
      }
      await events('put-rule', '--name', 'prod', '--event-pattern', JSON.stringify(pattern))
      const targets = [
        { Id: 'hook', Arn: `${ACCOUNT}:webhook/http://127.0.0.1:${hook.port}/pushed` },
        { Id: 'lines', Arn: `${ACCOUNT}:event-target/lines` },
      ]
      await events('put-targets', '--rule', 'prod', '--targets', JSON.stringify(targets))
      for (const repository of ['test/app', 'prod/app']) await push(stage, repository, buildImage(repository), 'v1')
      await until(async () => hooks.length > 0 && (await received()).length > 0, 'the push is told')
      const [told] = await received()
      expect(told?.detail).toMatchObject({ 'repository-name': 'prod/app', 'image-tag': 'v1', result: 'SUCCESS' })
      const secret = (await ecru('secret')).stdout.trim()
      const [seen] = hooks
      const seconds = /^t=([0-9]+),/.exec(seen?.signature ?? '')?.[1]
      const mac = createHmac('sha256', secret).update(`${seconds}.${seen?.body}`).digest('hex')
      expect(seen?.signature).toBe(`t=${seconds},v1=${mac}`)
      expect([hooks.length, (await received()).length]).toEqual([1, 1])
    },
    TEST_MS,
  )

  test(
    'an endpoint that fails is tried again, and what it refuses is a dead letter until it is replayed',
    async () => {
      hooks = []
      answer = () => new Response('no', { status: hooks.length === 1 ? 503 : 404 })
      await push(stage, 'prod/app', buildImage('two'), 'v2')
      await until(
        async () => (await ecru('dead-letters')).stdout.includes('The endpoint answered 404'),
        'a dead letter',
      )
      expect(hooks).toHaveLength(2)
      answer = () => new Response('ok')
      const listed = await ecru('dead-letters', '--json')
      const { deadLetters } = JSON.parse(listed.stdout) as { deadLetters: { position: number; attempts: number }[] }
      expect(deadLetters).toMatchObject([{ attempts: 2 }])
      const from = String(deadLetters[0]?.position)
      expect((await ecru('replay', '--rule', 'prod', '--target', 'hook', '--from', from)).exitCode).toBe(0)
      await until(() => hooks.length === 3, 'the replay')
      expect(hooks[2]?.body).toBe(hooks[1]?.body ?? '')
      expect((await ecru('status')).exitCode).toBe(0)
      expect((await ecru('tail', '--no-follow', '--lines', '1')).stdout).toContain('"image-tag":"v2"')
    },
    TEST_MS,
  )

  test(
    'nothing that was acknowledged is lost, and the order is kept, when the process is killed again and again',
    async () => {
      await events('put-rule', '--name', 'mine', '--event-pattern', '{"source":["my.app"]}')
      const target = [{ Id: 'lines', Arn: `${ACCOUNT}:event-target/lines` }]
      await events('put-targets', '--rule', 'mine', '--targets', JSON.stringify(target))
      const acknowledged: number[] = []
      let n = 0
      for (let round = 0; round < 4; round++) {
        const client = new EventBridgeClient({
          endpoint: stage.url,
          region: 'us-east-1',
          credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
          maxAttempts: 1,
        })
        const send = async () => {
          const numbers = Array.from({ length: 5 }, () => n++)
          const Entries = numbers.map((number) => ({
            Source: 'my.app',
            DetailType: 'counted',
            Detail: JSON.stringify({ n: number }),
          }))
          await client.send(new PutEventsCommand({ Entries }))
          acknowledged.push(...numbers)
        }
        const goal = acknowledged.length + 100 + 40 * round
        let isOver = false
        const sending = (async () => {
          while (!isOver) await send().catch(() => undefined)
        })()
        await until(() => acknowledged.length >= goal, 'events are taken')
        await stage.registry.kill()
        isOver = true
        await sending
        client.destroy()
        stage = await open()
      }
      const seen = async () => (await received()).filter(({ source }) => source === 'my.app')
      const last = acknowledged.at(-1)
      await until(async () => (await seen()).some(({ detail }) => detail.n === last), 'the last one')
      const all = await seen()
      const first = new Map<string, number>()
      for (const { id, detail } of all) if (!first.has(id)) first.set(id, Number(detail.n))
      const order = [...first.values()]
      expect(order).toEqual(order.toSorted((a, b) => a - b))
      expect(acknowledged.filter((number) => !order.includes(number))).toEqual([])
    },
    TEST_MS,
  )
})
