import { rename, rm, stat } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'

/*
 * Bundles the program with its bytecode: what Bun would parse again at every start is parsed once. `bin/ecru` runs it for
 * as long as no source is newer. With `--compile`, into one executable that carries Bun.
 */

const ROOT = join(import.meta.dir, '..')
const SOURCES = join(ROOT, 'src')

const { values } = parseArgs({
  options: { compile: { type: 'boolean', default: false }, outfile: { type: 'string', default: 'dist/ecru' } },
})

/** A worker thread has a program of its own, and with it an entry point; each is found where it lies below `src`. */
const workers = [...new Bun.Glob('**/*-worker.ts').scanSync({ cwd: SOURCES })].sort()
const shared = {
  entrypoints: ['main.ts', ...workers].map((path) => join(SOURCES, path)),
  root: SOURCES,
  target: 'bun',
  // The only form that bytecode knows.
  format: 'cjs',
  bytecode: true,
  // Neither minified nor mapped: a stack trace can be read as it is, and the first error does not load a map of 20 MB.
} as const satisfies Bun.BuildConfig

if (values.compile) {
  await Bun.build({ ...shared, compile: { outfile: resolve(ROOT, values.outfile) } })
} else {
  const target = join(ROOT, 'dist', 'program')
  const made = `${target}.${process.pid}`
  try {
    await Bun.build({ ...shared, outdir: made })
    const isThere = await stat(target).then(
      () => true,
      () => false,
    )
    // A server that runs has read what it needs, but for workers' programs, which it finds again in the new one.
    const old = join(dirname(target), `old.${process.pid}`)
    if (isThere) await rename(target, old)
    await rename(made, target)
    await rm(old, { recursive: true, force: true })
  } finally {
    await rm(made, { recursive: true, force: true })
  }
}
