import { randomUUID } from 'node:crypto'

/** What the process knows of one request beside the `Request` itself. Lives as long as the request. */
export interface RequestContext {
  /** A UUID made here (a client's own id is never taken): the planes send it, the log names it. */
  readonly requestId: string
  /** The address of the peer, which may be a proxy; empty when there is no socket. */
  readonly remoteAddress: string
  /** The address of the client: the peer's, or what proxies that are trusted say of whom they speak for. */
  readonly clientAddress: string
  /** Whether the client came over TLS, that of a trusted proxy included. */
  readonly isClientSecure: boolean
  /** Whether the peer is this machine. False when that is unknown. */
  readonly isLoopback: boolean
  /** Whether the request came over TLS that ends in this process. */
  readonly isSecure: boolean
  /** Aborted when the client is gone. */
  readonly signal: AbortSignal
  /**
   * True while a handler waits for the client's next bytes; `body.ts` keeps it. Only then may the idle timeout strike:
   * the registry's own work, such as hashing a layer, may take as long as it takes.
   */
  isAwaitingClient: boolean
  /** The bytes of the body that were read so far; `body.ts` keeps it. */
  receivedBytes: number
  /** Says that the client made progress: its idle clock starts again. Costs next to nothing. */
  keepAlive(): void
  /** Names the caller for the access log: an ARN, never a credential. */
  setPrincipal(arn: string): void
}

/** A handler of requests: callable without a socket. */
export type Handler = (request: Request, context: RequestContext) => Promise<Response>

const NEVER_ABORTED = new AbortController().signal

/** A context without a socket, for calling handlers directly; `facts` replaces what matters to the caller. */
export function detachedContext(facts: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: randomUUID(),
    remoteAddress: '127.0.0.1',
    clientAddress: facts.remoteAddress ?? '127.0.0.1',
    isClientSecure: facts.isSecure ?? false,
    isLoopback: true,
    isSecure: false,
    signal: NEVER_ABORTED,
    isAwaitingClient: false,
    receivedBytes: 0,
    keepAlive: () => {},
    setPrincipal: () => {},
    ...facts,
  }
}
