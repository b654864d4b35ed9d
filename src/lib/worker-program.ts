/**
 * The program of a worker thread, by its path below `src`, in the form that `new Worker` takes. Each is an entry point of
 * its own in a bundle (scripts/build.ts) and lies there as it does below `src`; the single executable embeds them all, and
 * looks for them from the directory of its entry points.
 */
export function workerProgram(path: `${string}-worker.ts`): string {
  if (isCompiled()) return `./${path}`
  const isBundled = !import.meta.url.endsWith('/lib/worker-program.ts')
  return isBundled
    ? new URL(path.replace(/ts$/, 'js'), import.meta.url).href
    : new URL(`../${path}`, import.meta.url).href
}

/** The file system of a compiled executable has a name of its own. */
function isCompiled(): boolean {
  return /^(\/\$bunfs\/|[A-Z]:[/\\]~BUN[/\\])/.test(Bun.main)
}
