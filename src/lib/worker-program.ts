/**
 * The program of a worker thread, by its path below `src`, in the form that `new Worker` takes. In the compiled executable
 * it is embedded, as an entry point of its own (the `compile` script of package.json names it), and found from the
 * directory of all entry points, which is `src`.
 */
export function workerProgram(path: string): string {
  return isCompiled() ? `./${path}` : new URL(`../${path}`, import.meta.url).href
}

/** The file system of a compiled executable has a name of its own. */
function isCompiled(): boolean {
  return /^(\/\$bunfs\/|[A-Z]:[/\\]~BUN[/\\])/.test(Bun.main)
}
