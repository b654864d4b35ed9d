/** The first bytes of a stream, and all of it. */
export async function withStart(
  source: AsyncIterable<Uint8Array>,
  count: number,
): Promise<{ readonly start: Uint8Array; readonly all: AsyncGenerator<Uint8Array, void, void> }> {
  const pieces = source[Symbol.asyncIterator]()
  let start: Uint8Array = new Uint8Array(0)
  while (start.byteLength < count) {
    const { done, value } = await pieces.next()
    if (done === true) break
    start = start.byteLength === 0 ? value : Buffer.concat([start, value])
  }
  return { start, all: resumed(start, pieces) }
}

async function* resumed(start: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array, void, void> {
  try {
    yield start
    for (;;) {
      const { done, value } = await rest.next()
      if (done === true) return
      yield value
    }
  } finally {
    await rest.return?.()
  }
}
