import type { DecidedAccess } from '../../domain/audit/decided-access.ts'
import type { Registry } from '../../domain/names.ts'
import type { Circumstances } from '../../domain/principal.ts'
import type { RequestContext } from './context.ts'

/** A request that asks about more than this is told by the first of them. */
const DECISIONS_MAX = 20

/** Where a request comes from. The address is looked up when somebody asks for it. */
export class RequestCircumstances implements Circumstances {
  readonly replicatedFrom: Registry | undefined
  readonly #request: Request
  readonly #context: RequestContext
  readonly #decisions: DecidedAccess[] = []

  /** `replicatedFrom`: the registry whose images the request copies here. */
  constructor(request: Request, context: RequestContext, replicatedFrom?: Registry) {
    this.replicatedFrom = replicatedFrom
    this.#request = request
    this.#context = context
  }

  /** What was decided about the request so far. */
  get decisions(): readonly DecidedAccess[] {
    return this.#decisions
  }

  decided(decision: DecidedAccess): void {
    if (this.#decisions.length < DECISIONS_MAX) this.#decisions.push(decision)
  }

  get sourceIp(): string {
    return this.#context.clientAddress
  }

  get isSecure(): boolean {
    return this.#context.isClientSecure
  }

  get userAgent(): string {
    return this.#request.headers.get('user-agent') ?? ''
  }

  get requestId(): string {
    return this.#context.requestId
  }
}
