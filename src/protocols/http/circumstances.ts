import type { Circumstances } from '../../domain/principal.ts'
import type { RequestContext } from './context.ts'

/** Where a request comes from. The address is looked up when somebody asks for it. */
export class RequestCircumstances implements Circumstances {
  readonly #request: Request
  readonly #context: RequestContext

  constructor(request: Request, context: RequestContext) {
    this.#request = request
    this.#context = context
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
