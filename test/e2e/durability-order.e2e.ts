import { expect, test } from 'bun:test'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sha256 } from '../support/image-builder.ts'
import { startRegistry } from '../support/start-registry.ts'
import { Wire } from '../torture/wire.ts'

const strace = Bun.which('strace', { PATH: `${process.env.PATH}:/usr/bin` })
const CALLS = 'fsync,fdatasync,rename,renameat,renameat2,write,writev,pwrite64,pwritev,sendto,sendmsg'

/** What the process asked of the kernel, one line per call in the order they ended. */
type Trace = readonly string[]

const run = strace === null ? test.skip : test
const reason = strace === null ? ' [skipped: strace is not installed]' : ''

run(
  `bytes and the records that name them reach the disk before the answer goes out${reason}`,
  async () => {
    const scratch = await mkdtemp(join(tmpdir(), 'ecru-durability-'))
    await using registry = await startRegistry({ dataDir: join(scratch, 'data') })
    const wire = new Wire(registry.port)
    await wire.logIn()
    await wire.ecr('CreateRepository', { repositoryName: 'durable/app' })
    // Everything that is made once (directories of this shard, say) may be there before: a first push shows the most.
    const layer = Buffer.from(`a layer of its own ${scratch}`)
    const digest = sha256(layer)

    const traceFile = join(scratch, 'trace')
    const tracer = Bun.spawn(
      [
        strace ?? '',
        '-f',
        '-qq',
        '-s',
        '160',
        '-yy',
        '-e',
        `trace=${CALLS}`,
        '-o',
        traceFile,
        '-p',
        String(registry.process.pid),
      ],
      { stdout: 'ignore', stderr: 'ignore' },
    )
    const trace = async (): Promise<Trace> => (await readFile(traceFile, 'utf8').catch(() => '')).split('\n')
    try {
      while ((await trace()).length < 2) {
        await wire.own('GET', 'health')
        await Bun.sleep(20)
      }
      const begun = await wire.oci('POST', 'durable/app/blobs/uploads/')
      const location = begun.headers.get('location') ?? ''
      const blobMark = (await trace()).length
      const put = await wire.at('PUT', `${location}?digest=${digest}`, { body: layer })
      expect(put.status).toBe(201)
      const blobTrace = (await settled(trace, blobMark)).slice(blobMark)

      const hex = digest.slice('sha256:'.length)
      const staged = blobTrace.findIndex((line) => /(fsync|fdatasync)\(\d+<[^>]*\/uploads\//.test(line))
      const renamed = blobTrace.findIndex((line) => /rename/.test(line) && line.includes(hex))
      const directory = after(
        blobTrace,
        renamed,
        new RegExp(`(fsync|fdatasync)\\(\\d+<[^>]*/sha256/${hex.slice(0, 2)}>`),
      )
      const record = after(blobTrace, directory, /(fsync|fdatasync)\(\d+<[^>]*-wal>/)
      const answered = blobTrace.findIndex((line) => line.includes('HTTP/1.1 201'))
      expect({ staged, renamed, directory, record, answered }).toEqual(
        ascending({ staged, renamed, directory, record, answered }),
      )

      const mediaType = 'application/vnd.oci.image.manifest.v1+json'
      const descriptor = { mediaType: 'application/vnd.oci.image.config.v1+json', digest, size: layer.length }
      const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config: descriptor, layers: [] }))
      const manifestMark = (await trace()).length
      const request = { headers: { 'content-type': mediaType }, body: manifest }
      expect((await wire.oci('PUT', 'durable/app/manifests/latest', request)).status).toBe(201)
      const manifestTrace = (await settled(trace, manifestMark)).slice(manifestMark)
      const written = manifestTrace.findIndex((line) => /(pwrite64|write)\(\d+<[^>]*-wal>/.test(line))
      const flushed = after(manifestTrace, written, /(fsync|fdatasync)\(\d+<[^>]*-wal>/)
      const told = manifestTrace.findIndex((line) => line.includes('HTTP/1.1 201'))
      expect({ written, flushed, told }).toEqual(ascending({ written, flushed, told }))
    } finally {
      tracer.kill('SIGINT')
      await tracer.exited
      await rm(scratch, { recursive: true, force: true })
    }
  },
  60_000,
)

/** strace writes what it sees a moment later than the answer is here. */
async function settled(trace: () => Promise<Trace>, mark: number): Promise<Trace> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const seen = await trace()
    if (seen.slice(mark).some((line) => line.includes('HTTP/1.1 201')) || Date.now() > deadline) return seen
    await Bun.sleep(20)
  }
}

function after(trace: Trace, index: number, pattern: RegExp): number {
  if (index < 0) return -1
  const found = trace.slice(index + 1).findIndex((line) => pattern.test(line))
  return found < 0 ? -1 : index + 1 + found
}

/** The same steps if each is there and comes behind the one before it; otherwise something that says where they are not. */
function ascending<Steps extends Readonly<Record<string, number>>>(steps: Steps): Steps {
  let last = -1
  const checked: Record<string, number | string> = {}
  for (const [name, at] of Object.entries(steps)) {
    checked[name] = at < 0 ? 'never happened' : at <= last ? 'came before its time' : at
    last = at
  }
  return checked as Steps
}
