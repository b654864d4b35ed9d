/** An image id of BatchDeleteImage. */
export interface ImageId {
  readonly digest?: string
  readonly tag?: string
}

/** Which images ListImages is to show. */
export type StatusFilter = 'ACTIVE' | 'ARCHIVED' | 'ANY'

/** Which interface a call went through: some answers differ. */
export type Plane = 'oci' | 'ecr'

/** What a client asked of one repository. Uploads are named by the id that the registry gave them. */
export type Call =
  | { readonly kind: 'create-repository'; readonly mutability: string }
  | { readonly kind: 'delete-repository'; readonly isForced: boolean }
  | { readonly kind: 'put-mutability'; readonly mutability: string }
  | { readonly kind: 'start-upload' }
  | { readonly kind: 'append'; readonly upload: string; readonly isResumed?: boolean }
  | { readonly kind: 'complete'; readonly plane: Plane; readonly upload: string; readonly blob: string }
  | { readonly kind: 'cancel'; readonly upload: string }
  | { readonly kind: 'mount'; readonly blob: string; readonly isSourceSure: boolean }
  | { readonly kind: 'stat-blob'; readonly blob: string }
  | { readonly kind: 'delete-blob'; readonly blob: string }
  | { readonly kind: 'put-image'; readonly plane: Plane; readonly image: string; readonly tag?: string }
  | { readonly kind: 'delete-tag'; readonly tag: string }
  | { readonly kind: 'delete-image'; readonly image: string }
  | { readonly kind: 'batch-delete'; readonly ids: readonly ImageId[] }
  | { readonly kind: 'get-tag'; readonly tag: string }
  | { readonly kind: 'get-image'; readonly image: string }
  | { readonly kind: 'archive'; readonly image: string }
  | { readonly kind: 'restore'; readonly image: string }
  | { readonly kind: 'list-images'; readonly status: StatusFilter }
  | { readonly kind: 'list-referrers'; readonly subject: string }

/**
 * A call with its span of time (milliseconds of one clock) and its answer, as a text that says all that matters of it.
 * `returnedAt` is Infinity and `outcome` undefined when no answer came: then it may have happened or not.
 */
export interface Operation {
  readonly client: string
  readonly call: Call
  readonly calledAt: number
  returnedAt: number
  outcome: string | undefined
  /** The id of the upload that a `start-upload` or a refused `mount` began. */
  upload?: string
}

/** The histories of repositories, by name. */
export class Recorder {
  readonly #histories = new Map<string, Operation[]>()

  /** Notes the call, awaits the answer, notes that. What `work` throws passes on, and the answer stays unknown. */
  async record<T extends { readonly outcome: string; readonly upload?: string | undefined }>(
    client: string,
    repository: string,
    call: Call,
    work: () => Promise<T>,
  ): Promise<T> {
    const operation: Operation = { client, call, calledAt: performance.now(), returnedAt: Infinity, outcome: undefined }
    const history = this.#histories.get(repository) ?? []
    this.#histories.set(repository, history)
    history.push(operation)
    const answer = await work()
    if (answer.upload !== undefined) operation.upload = answer.upload
    operation.outcome = answer.outcome
    operation.returnedAt = performance.now()
    return answer
  }

  history(repository: string): readonly Operation[] {
    return this.#histories.get(repository) ?? []
  }

  count(): number {
    return [...this.#histories.values()].reduce((sum, history) => sum + history.length, 0)
  }
}
