import { randomUUID } from 'node:crypto'
import type { Server } from 'bun'
import type { RequestContext } from './context.ts'
import { forwardedFor, forwardedOverTls, type TrustedProxies } from './forwarded.ts'

/** The context of a request that came through a socket. Dear things (address, signal) are looked up when asked for. */
export class ServedRequest implements RequestContext {
  readonly request: Request
  readonly requestId = randomUUID() as string
  readonly isSecure: boolean
  isAwaitingClient = false
  receivedBytes = 0
  principal: string | undefined = undefined
  private hasProgressed = false
  private address: string | undefined
  private readonly startedAt = performance.now()
  private readonly server: Server<undefined>
  private readonly proxies: TrustedProxies

  constructor(request: Request, server: Server<undefined>, isSecure: boolean, proxies: TrustedProxies) {
    this.request = request
    this.proxies = proxies
    this.server = server
    this.isSecure = isSecure
    // A client that leaves takes its address along, and only a body gives it the time to leave.
    this.address = this.expectsBody() ? this.addressOfPeer() : undefined
  }

  get remoteAddress(): string {
    this.address ??= this.addressOfPeer()
    return this.address
  }

  get clientAddress(): string {
    return forwardedFor(this.remoteAddress, this.request.headers, this.proxies)
  }

  get isClientSecure(): boolean {
    return this.isSecure || forwardedOverTls(this.remoteAddress, this.request.headers, this.proxies)
  }

  get isLoopback(): boolean {
    return /^(127\.|::1$|::ffff:127\.)/.test(this.remoteAddress)
  }

  get signal(): AbortSignal {
    return this.request.signal
  }

  keepAlive(): void {
    this.hasProgressed = true
  }

  setPrincipal(arn: string): void {
    this.principal = arn
  }

  /** Whether, since the last time this was asked, the client did its part or had none to do. */
  isWorkingOrProgressed(): boolean {
    const deserves = this.hasProgressed || !this.isAwaitingClient
    this.hasProgressed = false
    return deserves
  }

  /** Whether the client left before it was answered. Only bodies are worth the look: the rest is answered at once. */
  isClientGone(): boolean {
    return this.expectsBody() && this.request.signal.aborted
  }

  /** Winds the idle clock of its connection up again. */
  rewind(idleTimeoutSeconds: number): void {
    this.server.timeout(this.request, idleTimeoutSeconds)
  }

  /** Since the request came, in milliseconds with one decimal. */
  elapsedMs(): number {
    return Math.round((performance.now() - this.startedAt) * 10) / 10
  }

  private expectsBody(): boolean {
    const { method } = this.request
    return method !== 'GET' && method !== 'HEAD'
  }

  private addressOfPeer(): string {
    return this.server.requestIP(this.request)?.address ?? ''
  }
}
