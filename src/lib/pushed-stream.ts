/** Bytes that one side writes piece by piece and the other reads as a stream; neither runs ahead of the other. */
export class PushedStream {
  #piece: Uint8Array | undefined
  #end: { readonly failure?: { readonly error: unknown } } | undefined
  #isLeft = false
  #changed = Promise.withResolvers<void>()

  /** Resolves when the piece was taken. Throws when nobody reads any more. */
  async write(piece: Uint8Array): Promise<void> {
    if (piece.byteLength === 0) return
    this.#piece = piece
    this.#tell()
    while (this.#piece !== undefined && !this.#isLeft) await this.#changed.promise
    if (this.#isLeft) throw new NobodyReads()
  }

  /** No more comes; with a failure, the reader gets it. */
  end(failure?: { readonly error: unknown }): void {
    this.#end ??= failure === undefined ? {} : { failure }
    this.#tell()
  }

  /** What is written, for one reader; who stops early tells the writer. */
  async *bytes(): AsyncGenerator<Uint8Array, void, void> {
    try {
      for (;;) {
        while (this.#piece === undefined && this.#end === undefined) await this.#changed.promise
        if (this.#end?.failure !== undefined) throw this.#end.failure.error
        const piece = this.#piece
        if (piece === undefined) return
        yield piece
        this.#piece = undefined
        this.#tell()
      }
    } finally {
      this.leave()
    }
  }

  /** The reader has gone, maybe before it began. */
  leave(): void {
    this.#isLeft = true
    this.#tell()
  }

  #tell(): void {
    const { resolve } = this.#changed
    this.#changed = Promise.withResolvers()
    resolve()
  }
}

/** Whoever read a stream has stopped. */
export class NobodyReads extends Error {
  override readonly name = 'NobodyReads'

  constructor() {
    super('Nobody reads any more.')
  }
}
