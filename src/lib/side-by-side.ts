/**
 * Works on everything that comes, at most `limit` at a time; takes the next one only when there is room for it. Ends with
 * the first failure, once what was under way has ended.
 */
export async function sideBySide<T>(
  items: AsyncIterable<T> | Iterable<T>,
  limit: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  const running = new Set<Promise<void>>()
  let failure: { readonly error: unknown } | undefined
  try {
    for await (const item of items) {
      if (failure !== undefined) break
      const one: Promise<void> = work(item)
        .catch((error: unknown) => {
          failure ??= { error }
        })
        .finally(() => running.delete(one))
      running.add(one)
      if (running.size >= limit) await Promise.race(running)
    }
  } finally {
    await Promise.all(running)
  }
  if (failure !== undefined) throw failure.error
}
