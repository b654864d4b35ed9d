/**
 * A body of chunks whose memory its maker uses again, or gives back, when asked for the next one: each is written to
 * whoever sends or collects the body, who copies what cannot go at once. It is made no faster than it is taken, and ended
 * when nobody takes it any more.
 */
export function writtenStream(content: AsyncGenerator<Uint8Array, void, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    type: 'direct',
    async pull(controller) {
      for await (const chunk of content) {
        // Nobody is there any more.
        if ((await controller.write(chunk)) === 0) return
        await controller.flush()
      }
      controller.close()
    },
    async cancel() {
      await content.return()
    },
  } satisfies Bun.DirectUnderlyingSource<Uint8Array>)
}
