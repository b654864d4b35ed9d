import { afterEach, describe, expect, test } from 'bun:test'
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createServer as createTlsServer } from 'node:tls'
import { type Answer, type ExchangeSettings, exchange } from '../../src/clients/exchange.ts'

const SETTINGS: ExchangeSettings = {
  allowsPrivateAddresses: true,
  allowsHttp: true,
  answerMs: 2000,
  stallMs: 2000,
  // Whatever the name: this machine.
  resolve: async () => ['127.0.0.1'],
}
const withCode = (code: string) => expect.objectContaining({ code })

let server: Server | undefined
let asked = ''
afterEach(() => server?.close())

/** A server that says these bytes, piece by piece, whatever it is asked. */
async function saying(...pieces: readonly string[]): Promise<string> {
  return await listening(createServer((socket) => answer(socket, pieces)))
}

async function listening(made: Server): Promise<string> {
  server = made
  await new Promise<void>((resolve) => made.listen(0, '127.0.0.1', resolve))
  return String((made.address() as AddressInfo).port)
}

function answer(socket: Socket, pieces: readonly string[]): void {
  socket.on('error', () => undefined)
  socket.setNoDelay(true)
  socket.once('data', async (request) => {
    asked = request.toString('latin1')
    for (const piece of pieces)
      await new Promise<void>((sent) => socket.write(piece, 'latin1', () => setImmediate(sent)))
    socket.end()
  })
}

async function get(port: string, headers: Readonly<Record<string, string>> = {}, method: 'GET' | 'HEAD' = 'GET') {
  const url = new URL(`http://registry.example.com:${port}/v2/a%2Fb?n=1`)
  const found = await exchange(url, { method, headers }, SETTINGS)
  return { found, text: await textOf(found) }
}

async function textOf(found: Answer): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of found.body()) chunks.push(chunk)
  return Buffer.concat(chunks).toString('latin1')
}

describe('a request', () => {
  test('names the host that is meant, and goes to the judged address', async () => {
    const port = await saying('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
    const { found, text } = await get(port, { accept: 'a, b' })
    expect([found.status, text]).toEqual([200, 'ok'])
    const [first, ...lines] = asked.split('\r\n')
    expect(first).toBe('GET /v2/a%2Fb?n=1 HTTP/1.1')
    expect(lines).toContain(`host: registry.example.com:${port}`)
    expect(lines).toContain('accept: a, b')
  })

  test('is not sent with a header that holds another line', async () => {
    const port = await saying('HTTP/1.1 200 OK\r\n\r\n')
    await expect(get(port, { authorization: 'Bearer a\r\nx: y' })).rejects.toEqual(withCode('upstream-wrong'))
  })
})

describe('an answer', () => {
  const bodies = [
    ['of a length that is told, in pieces', ['HTTP/1.1 200 OK\r\nContent-', 'Length: 5\r\n\r', '\nhe', 'llo']],
    [
      'in chunks',
      ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r', '\n3;x=y\r\nll', 'o\r\n0\r\n\r\n'],
    ],
    ['until the connection ends', ['HTTP/1.0 200 OK\r\n\r\nhel', 'lo']],
    [
      'after interim ones',
      ['HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\nHTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello'],
    ],
    ['with line feeds alone', ['HTTP/1.1 200 OK\nContent-Length: 5\n\nhello']],
    ['and no more than its length', ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello, and more']],
  ] as const
  for (const [name, pieces] of bodies)
    test(`comes whole ${name}`, async () => {
      expect((await get(await saying(...pieces))).text).toBe('hello')
    })

  test('to HEAD has no body, whatever its length', async () => {
    const port = await saying('HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n')
    const found = await exchange(new URL(`http://a.example:${port}/`), { method: 'HEAD' }, SETTINGS)
    expect([found.status, found.header('content-length')]).toEqual([200, '500'])
    found.discard()
  })

  test('names a header twice: both count', async () => {
    const port = await saying('HTTP/1.1 401 No\r\nWWW-Authenticate: Basic\r\nwww-authenticate:Bearer realm="x"\r\n\r\n')
    expect((await get(port)).found.header('www-authenticate')).toBe('Basic, Bearer realm="x"')
  })

  const wrong = [
    ['is no HTTP', 'SSH-2.0-OpenSSH\r\n\r\n', 'upstream-wrong'],
    ['has a header that is none', 'HTTP/1.1 200 OK\r\nno header\r\n\r\n', 'upstream-wrong'],
    ['has a head without an end', `HTTP/1.1 200 OK\r\nx: ${'y'.repeat(70_000)}`, 'upstream-wrong'],
    ['tells two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello', 'upstream-wrong'],
    ['has an unknown coding', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nhello', 'upstream-wrong'],
    ['ends in its head', 'HTTP/1.1 200 OK\r\nConte', 'upstream-unavailable'],
    ['ends before its length', 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello', 'upstream-unavailable'],
    ['ends in a chunk', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhel', 'upstream-unavailable'],
    [
      'ends before the last chunk',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n',
      'upstream-unavailable',
    ],
  ] as const
  for (const [name, text, code] of wrong)
    test(`is refused when it ${name}`, async () => {
      await expect(get(await saying(text))).rejects.toEqual(withCode(code))
    })
})

describe('over TLS', () => {
  const dir = mkdtempSync(join(tmpdir(), 'ecru-reading-'))
  const [key, cert] = [join(dir, 'key.pem'), join(dir, 'cert.pem')]
  const made = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2']
  const named = ['-subj', '/CN=test', '-addext', 'subjectAltName=DNS:registry.example.com']
  execFileSync('openssl', [...made, ...named, '-keyout', key, '-out', cert], { stdio: 'ignore' })
  const files = { key: readFileSync(key), cert: readFileSync(cert) }
  rmSync(dir, { recursive: true })
  const ok = ['HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello']
  const serve = () => listening(createTlsServer(files, (socket) => answer(socket, ok)))
  const ask = async (host: string, caCertificates?: string) =>
    await textOf(
      await exchange(
        new URL(`https://${host}:${await serve()}/`),
        { method: 'GET' },
        { ...SETTINGS, ...(caCertificates === undefined ? {} : { caCertificates }) },
      ),
    )

  test('the certificate has to be that of the host, not of its address', async () => {
    expect(await ask('registry.example.com', files.cert.toString())).toBe('hello')
    await expect(ask('other.example.com', files.cert.toString())).rejects.toEqual(withCode('upstream-unavailable'))
    await expect(ask('127.0.0.1', files.cert.toString())).rejects.toEqual(withCode('upstream-unavailable'))
  })

  test('the authority has to be trusted', async () => {
    await expect(ask('registry.example.com')).rejects.toEqual(withCode('upstream-unavailable'))
  })
})
