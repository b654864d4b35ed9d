/**
 * Fetches one URL and drops its body inside the kernel (`MSG_TRUNC`), so that nothing but the server and the loopback
 * interface is measured: `bun drain.ts URL [AUTHORIZATION]`
 * prints the milliseconds it took. A client that looks at the bytes costs as much as the server.
 */
import { dlopen, FFIType, ptr } from 'bun:ffi'

const AF_INET = 2
const SOCK_STREAM = 1
const MSG_TRUNC = 0x20
const headBytesMax = 16 * 1024
const pieceBytes = 1 << 20

const { symbols: libc } = dlopen('libc.so.6', {
  socket: { args: [FFIType.i32, FFIType.i32, FFIType.i32], returns: FFIType.i32 },
  connect: { args: [FFIType.i32, FFIType.ptr, FFIType.u32], returns: FFIType.i32 },
  send: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
  recv: { args: [FFIType.i32, FFIType.ptr, FFIType.u64, FFIType.i32], returns: FFIType.i64 },
})

const [address = '', authorization] = process.argv.slice(2)
const url = new URL(address)
const began = performance.now()
const socket = connect(url.hostname, Number(url.port))
send(socket, requestFor(url, authorization))
const { head, bodyBytes } = receiveHead(socket)
if (!head.startsWith('HTTP/1.1 200')) throw new Error(`${address} answered ${head.split('\r\n')[0]}`)
const promised = Number(/^content-length: (\d+)$/im.exec(head)?.[1] ?? Number.NaN)
const drained = bodyBytes + drain(socket)
if (drained !== promised) throw new Error(`${drained} of ${promised} bytes arrived`)
console.log(performance.now() - began)

function requestFor({ host, pathname }: URL, login: string | undefined): Buffer {
  const extra = login === undefined ? '' : `Authorization: ${login}\r\n`
  return Buffer.from(`GET ${pathname} HTTP/1.1\r\nHost: ${host}\r\n${extra}Connection: close\r\n\r\n`)
}

function connect(ip: string, port: number): number {
  const socketAddress = Buffer.alloc(16)
  socketAddress.writeUInt16LE(AF_INET, 0)
  socketAddress.writeUInt16BE(port, 2)
  socketAddress.set(ip.split('.').map(Number), 4)
  const descriptor = libc.socket(AF_INET, SOCK_STREAM, 0)
  if (libc.connect(descriptor, ptr(socketAddress), socketAddress.byteLength) !== 0) throw new Error('cannot connect')
  return descriptor
}

function send(descriptor: number, bytes: Buffer): void {
  if (Number(libc.send(descriptor, ptr(bytes), bytes.byteLength, 0)) !== bytes.byteLength)
    throw new Error('cannot send')
}

/** Reads up to the empty line; what has come of the body with it is counted. */
function receiveHead(descriptor: number): { readonly head: string; readonly bodyBytes: number } {
  const buffer = Buffer.alloc(headBytesMax)
  let size = 0
  for (;;) {
    const received = Number(libc.recv(descriptor, ptr(buffer, size), headBytesMax - size, 0))
    if (received <= 0) throw new Error('no answer')
    size += received
    const end = buffer.subarray(0, size).indexOf('\r\n\r\n')
    if (end >= 0) return { head: buffer.toString('latin1', 0, end), bodyBytes: size - end - 4 }
  }
}

function drain(descriptor: number): number {
  const untouched = ptr(Buffer.alloc(pieceBytes))
  let size = 0
  for (;;) {
    const received = Number(libc.recv(descriptor, untouched, pieceBytes, MSG_TRUNC))
    if (received < 0) throw new Error('the connection broke')
    if (received === 0) return size
    size += received
  }
}
