import { afterEach, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { generatedBytes } from '../support/generated-bytes.ts'
import { peakDuring, settledBytes } from '../support/process-memory.ts'
import { loginPassword, type RunningRegistry, startRegistry } from '../support/start-registry.ts'

const MB = 2 ** 20
const GIB = 2 ** 30
/** `ECRU_TEST_GIB=5` for the full size. */
const LAYER_BYTES = Number(process.env.ECRU_TEST_GIB ?? '1') * GIB
const CHUNKS = 4

/** Budgets: idle, and how much more while a layer moves. */
const IDLE_BYTES_MAX = 90 * MB
const GROWTH_BYTES_MAX = 32 * MB
/** How far the kernel's count of resident pages swings between two identical runs (pages of the executable come and go). */
const SLACK_BYTES = 6 * MB
/** What an encrypted layer passes through is left to the garbage collector, which comes when it comes. */
const GARBAGE_BYTES_MAX = 8 * MB
const TIMEOUT_MS = 20 * 60_000

const REPOSITORY = 'large/layer'

let registry: RunningRegistry
let authorization: string

afterEach(async () => {
  await registry.stop()
})

test.each(['off', 'on'])(
  `with encryption %s, a layer of ${LAYER_BYTES / GIB} GiB goes in and out in constant memory`,
  async (encryption) => {
    registry = await startRegistry({ env: { ECRU_LOG_LEVEL: 'warn', ECRU_ENCRYPTION: encryption } })
    authorization = `Basic ${Buffer.from(`AWS:${await loginPassword(registry.url)}`).toString('base64')}`
    await createRepository()
    // A small layer first: what is compiled and opened once is not the layer's size.
    await roundTrip(8 * MB, 'warm-up', encryption === 'off')
    const idleBytes = await settledBytes(registry.process.pid)
    expect(idleBytes).toBeLessThanOrEqual(IDLE_BYTES_MAX)

    const garbageBytes = encryption === 'on' ? GARBAGE_BYTES_MAX : 0
    const peak = await peakDuring(registry.process.pid, () => roundTrip(LAYER_BYTES, 'large', encryption === 'off'))
    console.log(
      `idle ${megabytes(idleBytes)}, at most ${megabytes(peak)} while ${LAYER_BYTES / GIB} GiB moved each way`,
    )
    expect(peak - idleBytes).toBeLessThanOrEqual(GROWTH_BYTES_MAX + SLACK_BYTES + garbageBytes)
  },
  TIMEOUT_MS,
)

async function roundTrip(sizeBytes: number, seed: string, isLengthTold: boolean): Promise<void> {
  const digest = await push(sizeBytes, seed)
  const pulled = createHash('sha256')
  const answer = await request('GET', `/v2/${REPOSITORY}/blobs/${digest}`)
  expect(answer.status).toBe(200)
  // Of a body that is made while it is sent, as an encrypted one is, the server does not tell the length.
  if (isLengthTold) expect(Number(answer.headers.get('content-length'))).toBe(sizeBytes)
  if (answer.body !== null) for await (const chunk of answer.body) pulled.update(chunk)
  expect(`sha256:${pulled.digest('hex')}`).toBe(digest)
}

/** In chunks, each streamed; answers the digest that the sender counted. */
async function push(sizeBytes: number, seed: string): Promise<string> {
  const begun = await request('POST', `/v2/${REPOSITORY}/blobs/uploads/`)
  expect(begun.status).toBe(202)
  let location = begun.headers.get('location') ?? ''
  const sent = createHash('sha256')
  const chunkBytes = sizeBytes / CHUNKS
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const first = chunk * chunkBytes
    const patched = await request('PATCH', location, {
      headers: {
        'content-range': `${first}-${first + chunkBytes - 1}`,
        'content-length': String(chunkBytes),
        'content-type': 'application/octet-stream',
      },
      body: generatedBytes(`${seed}/${chunk}`, chunkBytes, (bytes) => sent.update(bytes)),
    })
    expect(patched.status).toBe(202)
    expect(patched.headers.get('range')).toBe(`0-${first + chunkBytes - 1}`)
    location = patched.headers.get('location') ?? location
  }
  const digest = `sha256:${sent.digest('hex')}`
  const completed = await request('PUT', `${location}?digest=${digest}`)
  expect(completed.status).toBe(201)
  return digest
}

function megabytes(bytes: number): string {
  return `${(bytes / MB).toFixed(1)} MB`
}

async function createRepository(): Promise<void> {
  const begun = await fetch(registry.url, {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'AmazonEC2ContainerRegistry_V20150921.CreateRepository',
      'x-amz-date': '20260101T000000Z',
      authorization: `AWS4-HMAC-SHA256 Credential=000000000000/20260101/us-east-1/ecr/aws4_request, SignedHeaders=host;x-amz-date;x-amz-target, Signature=${'0'.repeat(64)}`,
    },
    body: JSON.stringify({ repositoryName: REPOSITORY }),
  })
  expect(begun.status).toBe(200)
}

function request(
  method: string,
  location: string,
  init: { headers?: Record<string, string>; body?: ReadableStream<Uint8Array> } = {},
) {
  return fetch(new URL(location, registry.url), {
    method,
    ...init,
    headers: { ...init.headers, authorization },
    ...(init.body && { duplex: 'half' }),
  })
}
