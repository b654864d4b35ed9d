/**
 * Makes what is called between two pieces of work that follow each other without a pause: it lets in whatever else the process
 * has to do once that has waited for so long.
 */
export function givingWay(workMs: number): () => Promise<void> {
  let restedAtMs = performance.now()
  return async () => {
    if (performance.now() - restedAtMs < workMs) return
    await Bun.sleep(0)
    restedAtMs = performance.now()
  }
}
