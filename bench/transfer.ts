import { join } from 'node:path'
import { capture, track } from './child-processes.ts'
import { requireBinary } from './find-binary.ts'
import type { LayerFile } from './generated-layer.ts'
import { finishUpload, startUpload } from './registry-client.ts'
import type { RunningRegistry } from './registry-peer.ts'

/** Curl moves the bytes of large transfers: a C program on a core of its own is not what is measured. */
const curl = () => [requireBinary('curl'), '--silent', '--show-error', '--fail', '--noproxy', '*']

/** Fetches URLs to nowhere, all at once in a few processes; returns the milliseconds until all have arrived whole. */
export async function download(
  urls: readonly string[],
  authorization: string | undefined,
  processes = 1,
): Promise<number> {
  const perProcess = Math.ceil(urls.length / processes)
  const groups = Array.from({ length: processes }, (_, n) => urls.slice(n * perProcess, (n + 1) * perProcess))
  const began = performance.now()
  await Promise.all(
    groups.map((group) => {
      const parallel =
        group.length > 1 ? ['--parallel', '--parallel-immediate', '--parallel-max', `${group.length}`] : []
      const targets = group.flatMap((url) => ['--output', '/dev/null', url])
      return capture([...curl(), ...login(authorization), ...parallel, ...targets])
    }),
  )
  return performance.now() - began
}

/** Fetches a URL with a client that leaves its body in the kernel, and returns the milliseconds it took. */
export async function drain(url: string, authorization: string | undefined): Promise<number> {
  const program = join(import.meta.dir, 'drain.ts')
  const elapsedMs = await capture([
    process.execPath,
    program,
    url,
    ...(authorization === undefined ? [] : [authorization]),
  ])
  return Number(elapsedMs)
}

/** Pushes a file as docker does: POST, one PATCH of unannounced length, PUT with the digest. */
export async function pushChunked(registry: RunningRegistry, repository: string, file: LayerFile): Promise<void> {
  const location = await startUpload(registry, repository)
  const answer = await send('PATCH', location.href, registry, file.path, ['--header', 'Transfer-Encoding: chunked'])
  await finishUpload(registry, new URL(answer, registry.url), file.digest)
}

/** Pushes a file as containerd does: POST, one PUT that announces its length and the digest. */
export async function pushWhole(registry: RunningRegistry, repository: string, file: LayerFile): Promise<void> {
  const location = await startUpload(registry, repository)
  location.searchParams.set('digest', file.digest)
  await send('PUT', location.href, registry, file.path)
}

/** Sends chunks as they are made, in one PATCH of unannounced length, and returns where the upload goes on. */
export async function sendChunks(registry: RunningRegistry, location: URL, chunks: Iterable<Uint8Array>): Promise<URL> {
  const sender = Bun.spawn(
    sendCommand('PATCH', location.href, registry, '-', ['--header', 'Transfer-Encoding: chunked']),
    {
      stdin: 'pipe',
      stdout: 'pipe',
      stderr: 'inherit',
    },
  )
  track(sender)
  for (const chunk of chunks) {
    sender.stdin.write(chunk)
    await sender.stdin.flush()
  }
  await sender.stdin.end()
  const answer = await new Response(sender.stdout).text()
  if ((await sender.exited) !== 0) throw new Error(`PATCH ${location.pathname} failed`)
  return new URL(answer, registry.url)
}

/** Fetches a URL piece by piece; throws when it does not arrive whole. */
export async function* openDownload(url: string, authorization: string | undefined): AsyncGenerator<Uint8Array> {
  const receiver = Bun.spawn([...curl(), ...login(authorization), url], {
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  track(receiver)
  yield* receiver.stdout
  if ((await receiver.exited) !== 0) throw new Error(`GET ${url} failed`)
}

/** Sends a file and returns the answer's Location header. */
async function send(...request: Parameters<typeof sendCommand>): Promise<string> {
  return await capture(sendCommand(...request))
}

/** Curl's command line for sending a file, or standard input for `-`. */
function sendCommand(
  method: string,
  url: string,
  registry: RunningRegistry,
  path: string,
  extra: readonly string[] = [],
): string[] {
  return [
    ...curl(),
    ...login(registry.authorization),
    ...['--request', method, '--upload-file', path, '--header', 'Expect:', '--output', '/dev/null'],
    ...['--header', 'Content-Type: application/octet-stream', '--write-out', '%header{location}'],
    ...extra,
    url,
  ]
}

function login(authorization: string | undefined): readonly string[] {
  return authorization === undefined ? [] : ['--header', `Authorization: ${authorization}`]
}
