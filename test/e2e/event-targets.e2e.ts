import { afterAll, beforeAll, describe, expect } from 'bun:test'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  EventBridgeClient,
  PutEventsCommand,
  PutRuleCommand,
  PutTargetsCommand,
  type Target,
} from '@aws-sdk/client-eventbridge'
import { client, hasClients, testWith } from '../support/clients/client-test.ts'
import { NatsClient, type NatsLogin } from '../support/clients/nats.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { type Service, startService } from '../support/clients/service.ts'
import { openStage, type Stage } from '../support/clients/stage.ts'
import { freePort, ownEnvironment, program } from '../support/start-registry.ts'

const CLIENTS = ['nats-server', 'moto_server', 'aws', 'openssl', 'python-with-boto3'] as const
const test = testWith(...CLIENTS)
const TEST_MS = 240_000
const ACCOUNT = '000000000000'
const ECRU = `arn:aws:ecru:us-east-1:${ACCOUNT}:event-target`
const QUEUE = `arn:aws:sqs:us-east-1:${ACCOUNT}`
const STREAM_LOGIN = { user: 'ecru', password: 'its password' }

interface Told {
  readonly id: string
  readonly source: string
  readonly detail: { readonly n: number }
}

interface Hook {
  readonly header: string
  readonly body: string
}

async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const startedMs = performance.now(); !(await isSo()); await Bun.sleep(50))
    if (performance.now() - startedMs > 90_000) throw new Error(`in vain: ${what}`)
}

/** The numbers of events, each where it came first: repetitions carry the same id. */
function firstNumbers(events: readonly Told[]): readonly number[] {
  const seen = new Map<string, number>()
  for (const { id, detail } of events) if (!seen.has(id)) seen.set(id, detail.n)
  return [...seen.values()]
}

const upTo = (n: number) => Array.from({ length: n }, (_, at) => at)

describe('targets that are real servers', () => {
  let directory: string
  let stage: Stage
  let port: number
  let natsPort: number
  let streamPort: number
  let queuePort: number
  let nats: Service
  let stream: Service
  let queues: Service
  let events: EventBridgeClient
  let hook: ReturnType<typeof Bun.serve>
  let hooks: Hook[]
  let answer: () => Response | Promise<Response>
  let ca: string

  const at = (...names: readonly string[]) => join(directory, ...names)
  const startNats = () => startService([client('nats-server'), '-c', at('nats.conf')], natsPort)
  const startStream = () => startService([client('nats-server'), '-c', at('stream.conf')], streamPort)
  const open = async () => {
    stage = await openStage({
      port,
      dataDir: at('data'),
      env: { ECRU_EVENTS_TARGETS: at('targets.json'), ECRU_CA_FILE: at('ca.pem') },
    })
    events?.destroy()
    events = new EventBridgeClient({
      endpoint: stage.url,
      region: 'us-east-1',
      credentials: { accessKeyId: ACCOUNT, secretAccessKey: 'test' },
    })
  }
  const restart = async () => {
    await stage.registry.kill()
    await open()
  }
  /** A rule for events of one source, and its target. */
  const tell = async (source: string, target: Omit<Target, 'Id'>) => {
    const Name = source.replaceAll('.', '-')
    await events.send(new PutRuleCommand({ Name, EventPattern: JSON.stringify({ source: [source] }) }))
    await events.send(new PutTargetsCommand({ Rule: Name, Targets: [{ Id: 't', ...target } as Target] }))
  }
  const put = async (source: string, from: number, count: number) => {
    for (let n = from; n < from + count; n += 10) {
      const numbers = upTo(Math.min(10, from + count - n)).map((more) => n + more)
      const entries = numbers.map((number) => ({ Source: source, DetailType: 'counted', Detail: `{"n":${number}}` }))
      const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries: entries }))
      expect(FailedEntryCount).toBe(0)
    }
  }
  /** `status` ends with 1 while a target is in trouble. */
  const ecru = async (...args: readonly string[]) =>
    (await attempt([...program(), 'events', ...args, '--url', stage.url], { env: ownEnvironment() })).stdout
  const trouble = async (rule: string) => {
    const { targets } = JSON.parse(await ecru('status', '--json')) as {
      targets: { rule: string; reason?: string }[]
    }
    return targets.find((target) => target.rule === rule)?.reason ?? ''
  }
  const sqs = async (...args: readonly string[]) => {
    const command = [client('aws'), '--endpoint-url', `http://127.0.0.1:${queuePort}`, '--output', 'json', 'sqs']
    const environment = { ...stage.awsEnvironment, AWS_ACCESS_KEY_ID: 'queue', AWS_SECRET_ACCESS_KEY: 'test' }
    const printed = await run([...command, ...args], { env: environment })
    return printed.trim() === '' ? {} : (JSON.parse(printed) as Record<string, unknown>)
  }
  const queueUrl = (name: string) => `http://127.0.0.1:${queuePort}/${ACCOUNT}/${name}`
  /** Takes everything out of a queue. */
  const takeAll = async (name: string): Promise<readonly Told[]> => {
    const taken: Told[] = []
    for (;;) {
      const { Messages = [] } = (await sqs(
        'receive-message',
        ...['--queue-url', queueUrl(name), '--max-number-of-messages', '10'],
      )) as { Messages?: { Body: string; ReceiptHandle: string }[] }
      if (Messages.length === 0) return taken
      taken.push(...Messages.map(({ Body }) => JSON.parse(Body) as Told))
      const entries = Messages.map(({ ReceiptHandle }, index) => ({ Id: String(index), ReceiptHandle }))
      await sqs('delete-message-batch', '--queue-url', queueUrl(name), '--entries', JSON.stringify(entries))
    }
  }
  const withNats = async <T>(onPort: number, login: NatsLogin, work: (nats: NatsClient) => Promise<T>): Promise<T> => {
    const opened = await NatsClient.open(onPort, login)
    try {
      return await work(opened)
    } finally {
      opened.close()
    }
  }
  /** What the stream keeps, in its order. */
  const stored = () =>
    withNats(streamPort, { ...STREAM_LOGIN, ca }, async (nats) => {
      const { state } = await nats.ask<{ state?: { last_seq: number } }>('STREAM.INFO.EVENTS', {})
      const told: Told[] = []
      for (let seq = 1; seq <= (state?.last_seq ?? 0); seq++) {
        const { message } = await nats.ask<{ message: { data: string } }>('STREAM.MSG.GET.EVENTS', { seq })
        told.push(JSON.parse(Buffer.from(message.data, 'base64').toString()) as Told)
      }
      return told
    })
  const hooked = () => hooks.map(({ body }) => JSON.parse(body) as Told)

  beforeAll(async () => {
    if (!hasClients(...CLIENTS)) return
    directory = await mkdtemp(join(tmpdir(), 'ecru-targets-'))
    ;[port, natsPort, streamPort, queuePort] = [await freePort(), await freePort(), await freePort(), await freePort()]
    const certificate = ['-keyout', at('key.pem'), '-out', at('ca.pem'), '-subj', '/CN=localhost', '-days', '2']
    const names = ['-addext', 'subjectAltName=DNS:localhost']
    await run([client('openssl'), 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', ...certificate, ...names])
    ca = await readFile(at('ca.pem'), 'utf8')
    const host = 'host: 127.0.0.1'
    await writeFile(at('nats.conf'), `${host}\nport: ${natsPort}\nauthorization { token: "the token" }\n`)
    await writeFile(
      at('stream.conf'),
      `${host}\nport: ${streamPort}\njetstream { store_dir: "${at('jetstream')}" }
tls { cert_file: "${at('ca.pem')}", key_file: "${at('key.pem')}" }
authorization { user: "${STREAM_LOGIN.user}", password: "${STREAM_LOGIN.password}" }\n`,
    )
    for (const [name, secret] of [
      ['token', 'a wrong token'],
      ['password', STREAM_LOGIN.password],
      ['queue-key', 'test'],
      ['hook-secret', 'what signs webhooks'],
    ] as const)
      await writeFile(at(name), `${secret}\n`, { mode: 0o600 })
    hooks = []
    answer = () => new Response('ok')
    hook = Bun.serve({
      hostname: '127.0.0.1',
      port: 0,
      fetch: async (request) => {
        hooks.push({ header: request.headers.get('ecru-signature') ?? '', body: await request.text() })
        return await answer()
      },
    })
    const queue = { kind: 'sqs', endpoint: `http://127.0.0.1:${queuePort}`, accessKeyId: 'queue' }
    await writeFile(
      at('targets.json'),
      JSON.stringify({
        nats: { kind: 'nats', server: `nats://127.0.0.1:${natsPort}`, subject: 'ecru.told', tokenFile: at('token') },
        stream: {
          kind: 'nats',
          server: `tls://localhost:${streamPort}`,
          subject: 'ecru.kept',
          stream: 'EVENTS',
          user: STREAM_LOGIN.user,
          passwordFile: at('password'),
        },
        hook: { kind: 'http', url: `http://127.0.0.1:${hook.port}/told`, secretFile: at('hook-secret') },
        file: { kind: 'file', path: at('lines', 'events.jsonl') },
        stdout: { kind: 'stdout' },
        'arn:aws:sqs:*': { ...queue, secretKeyFile: at('queue-key') },
      }),
    )
    ;[nats, stream, queues] = await Promise.all([
      startNats(),
      startStream(),
      startService([client('moto_server'), '-H', '127.0.0.1', '-p', String(queuePort)], queuePort),
    ])
    await open()
  }, TEST_MS)
  afterAll(async () => {
    if (!hasClients(...CLIENTS)) return
    events?.destroy()
    await stage?.close()
    for (const service of [nats, stream, queues]) {
      service?.thaw()
      await service?.kill()
    }
    await hook?.stop(true)
    await rm(directory, { recursive: true, force: true })
  }, TEST_MS)

  test(
    'NATS: a wrong token is told to the operator, and once it is right the event comes with its id',
    async () => {
      await withNats(natsPort, { token: 'the token' }, async (subscriber) => {
        await subscriber.subscribe('ecru.>')
        await tell('to.nats', { Arn: `${ECRU}/nats` })
        await put('to.nats', 0, 3)
        await until(async () => (await trouble('to-nats')).includes('Authorization Violation'), 'the refusal')
        await writeFile(at('token'), 'the token\n')
        await until(() => subscriber.received.length === 3, 'three messages')
        const told = subscriber.received.map(({ payload }) => JSON.parse(payload) as Told)
        expect(firstNumbers(told)).toEqual([0, 1, 2])
        for (const [index, { subject, headers }] of subscriber.received.entries()) {
          expect(subject).toBe('ecru.told')
          expect(headers).toContain(`Nats-Msg-Id: ${told[index]?.id}\r\n`)
        }
      })
      await nats.kill()
      await put('to.nats', 3, 3)
      await until(async () => (await trouble('to-nats')) !== '', 'the server is missed')
      nats = await startNats()
      await until(async () => (await trouble('to-nats')) === '', 'it is taken once the server is back')
    },
    TEST_MS,
  )

  test(
    'JetStream over TLS: each event is stored once and in order, though there was no stream, the server went away and Ecru was killed',
    async () => {
      await tell('to.stream', { Arn: `${ECRU}/stream` })
      await put('to.stream', 0, 5)
      await until(async () => (await trouble('to-stream')).includes('No stream'), 'there is no stream')
      await withNats(streamPort, { ...STREAM_LOGIN, ca }, (nats) =>
        nats.ask('STREAM.CREATE.EVENTS', { name: 'EVENTS', subjects: ['ecru.kept'], storage: 'file' }),
      )
      await until(async () => (await stored()).length === 5, 'the first five')
      await put('to.stream', 5, 20)
      await stream.kill()
      await put('to.stream', 25, 20)
      await until(async () => (await trouble('to-stream')) !== '', 'the server is missed')
      stream = await startStream()
      await until(async () => (await stored()).length >= 30, 'the server is back')
      await put('to.stream', 45, 60)
      await restart()
      await put('to.stream', 105, 5)
      await until(async () => (await stored()).length >= 110, 'all of them')
      const told = await stored()
      expect(told.map(({ detail }) => detail.n)).toEqual(upTo(110))
      expect(new Set(told.map(({ id }) => id)).size).toBe(110)
    },
    TEST_MS,
  )

  test(
    'SQS: a queue that hangs gets everything once it is back, a FIFO queue each event once and in order',
    async () => {
      await sqs('create-queue', '--queue-name', 'told')
      await sqs('create-queue', '--queue-name', 'told.fifo', '--attributes', 'FifoQueue=true')
      await tell('to.queue', { Arn: `${QUEUE}:told` })
      await tell('to.fifo', { Arn: `${QUEUE}:told.fifo`, SqsParameters: { MessageGroupId: 'all' } })
      for (const source of ['to.queue', 'to.fifo']) await put(source, 0, 5)
      queues.freeze()
      for (const source of ['to.queue', 'to.fifo']) await put(source, 5, 10)
      await until(async () => (await trouble('to-fifo')).includes('in time'), 'the queue hangs')
      queues.thaw()
      const [told, fifo]: [Told[], Told[]] = [[], []]
      await until(async () => {
        told.push(...(await takeAll('told')))
        fifo.push(...(await takeAll('told.fifo')))
        return new Set(told.map(({ id }) => id)).size === 15 && fifo.length >= 15
      }, 'all messages')
      expect(firstNumbers(told).toSorted((a, b) => a - b)).toEqual(upTo(15))
      expect(fifo.map(({ detail }) => detail.n)).toEqual(upTo(15))
    },
    TEST_MS,
  )

  test(
    'what a webhook refuses goes to a dead-letter queue, and comes again when it is replayed from there',
    async () => {
      await sqs('create-queue', '--queue-name', 'dead')
      await tell('to.nobody', { Arn: `${ECRU}/hook`, DeadLetterConfig: { Arn: `${QUEUE}:dead` } })
      hooks = []
      answer = () => new Response('gone', { status: 410 })
      await put('to.nobody', 0, 3)
      const dead: Told[] = []
      await until(async () => dead.push(...(await takeAll('dead'))) === 3, 'dead letters')
      expect(dead.map(({ detail }) => detail.n)).toEqual([0, 1, 2])
      const { deadLetters } = JSON.parse(await ecru('dead-letters', '--json')) as {
        deadLetters: { position: number; reason: string; ruleName: string }[]
      }
      const own = deadLetters.filter(({ ruleName }) => ruleName === 'to-nobody')
      expect(own.map(({ reason }) => reason)).toEqual(Array(3).fill('The endpoint answered 410'))
      answer = () => new Response('ok')
      hooks = []
      await ecru('replay', '--rule', 'to-nobody', '--from', String(own[1]?.position))
      await until(() => hooks.length === 2, 'the replay')
      expect(hooked().map(({ id }) => id)).toEqual(dead.slice(1).map(({ id }) => id))
    },
    TEST_MS,
  )

  test(
    'HTTP: 500, 429 and silence delay, order stays, and signatures are genuine to openssl and to the documented Python',
    async () => {
      await tell('to.hook', { Arn: `${ECRU}/hook` })
      hooks = []
      const troubles: (() => Response | Promise<Response>)[] = [
        () => new Response('no', { status: 500 }),
        () => new Response('later', { status: 429, headers: { 'retry-after': '2' } }),
        () => new Promise<Response>((late) => setTimeout(() => late(new Response('too late')), 15_000)),
      ]
      const taken: Told[] = []
      answer = () => {
        const wrong = troubles.shift()
        if (wrong !== undefined) return wrong()
        taken.push(JSON.parse(hooks.at(-1)?.body ?? '') as Told)
        return new Response('ok')
      }
      await put('to.hook', 0, 25)
      await until(() => taken.length === 25, 'all events')
      expect(taken.map(({ detail }) => detail.n)).toEqual(upTo(25))
      expect(hooked().map(({ detail }) => detail.n)).toEqual([0, 0, 0, ...upTo(25)])
      for (const { header, body } of hooks.slice(0, 5)) {
        const [, seconds = '', mac = ''] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(header) ?? []
        const digest = [client('openssl'), 'dgst', '-sha256', '-hmac', 'what signs webhooks', '-r']
        expect((await run(digest, { input: `${seconds}.${body}` })).split(' ')[0]).toBe(mac)
      }
      const documented = /```python\n([\s\S]*?)```/.exec(await readFile('docs/events.md', 'utf8'))?.[1] ?? ''
      const check = `import hashlib, hmac, json, sys, time\n${documented}
header, body, secret = json.load(sys.stdin)
print([is_genuine(header, body.encode(), secret, time.time()),
       is_genuine(header, body.encode() + b" ", secret, time.time()),
       is_genuine(header, body.encode(), "another secret", time.time()),
       is_genuine(header, body.encode(), secret, time.time() + 3600)])`
      const { header, body } = hooks.at(-1) ?? { header: '', body: '' }
      const input = JSON.stringify([header, body, 'what signs webhooks'])
      expect((await run([client('python-with-boto3'), '-c', check], { input })).trim()).toBe(
        '[True, False, False, False]',
      )
    },
    TEST_MS,
  )

  test(
    'a file in a directory that is not there yet, and the standard output: every event, in order',
    async () => {
      await tell('to.file', { Arn: `${ECRU}/file` })
      await tell('to.stdout', { Arn: `${ECRU}/stdout`, InputPath: '$.detail' })
      for (const source of ['to.file', 'to.stdout']) await put(source, 0, 20)
      await until(async () => (await trouble('to-file')).includes('ENOENT'), 'the directory is missed')
      await mkdir(at('lines'))
      const lines = async () =>
        existsSync(at('lines', 'events.jsonl'))
          ? (await readFile(at('lines', 'events.jsonl'), 'utf8')).trim().split('\n')
          : []
      await until(async () => (await lines()).length === 20, 'the lines')
      expect((await lines()).map((line) => (JSON.parse(line) as Told).detail.n)).toEqual(upTo(20))
      const printed = (await stage.registry.log()).match(/^\{"n":\d+\}$/gm)
      expect([...(printed ?? [])]).toEqual(upTo(20).map((n) => `{"n":${n}}`))
    },
    TEST_MS,
  )

  test(
    'killed in the middle of everything, nothing is lost, and what is repeated carries the same id',
    async () => {
      const goal = new Map([
        ['to.hook', 25],
        ['to.file', 20],
        ['to.fifo', 15],
      ])
      hooks = []
      const taken: Told[] = []
      answer = () => {
        taken.push(JSON.parse(hooks.at(-1)?.body ?? '') as Told)
        return new Response('ok')
      }
      for (let round = 0; round < 3; round++) {
        for (const [source, from] of goal) {
          await put(source, from, 30)
          goal.set(source, from + 30)
        }
        await restart()
      }
      const lines = async () =>
        (await readFile(at('lines', 'events.jsonl'), 'utf8'))
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line) as Told)
      const fifo: Told[] = []
      await until(async () => {
        fifo.push(...(await takeAll('told.fifo')))
        const file = firstNumbers(await lines()).length
        return firstNumbers(taken).length === 90 && file === goal.get('to.file') && fifo.length >= 90
      }, 'all of them')
      expect(firstNumbers(taken)).toEqual(upTo(90).map((n) => n + 25))
      expect(firstNumbers(await lines())).toEqual(upTo(110))
      expect(fifo.map(({ detail }) => detail.n)).toEqual(upTo(90).map((n) => n + 15))
    },
    TEST_MS,
  )
})
