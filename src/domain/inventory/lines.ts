import { MAX_OWNED_PATHS_PER_FILE } from './layer-facts.ts'
import { MalformedFile, textOf } from './malformed-file.ts'

/** The lines of a text, one at a time: a file of nothing but line ends makes no list of millions. */
export function* linesOf(bytes: Uint8Array): Generator<string, void, void> {
  const text = textOf(bytes)
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start)
    const end = newline < 0 ? text.length : newline
    yield text.slice(start, end)
    start = end + 1
  }
}

/** Adds a path that the OS package manager owns. Throws {@link MalformedFile} when there are more than any system has. */
export function addOwned(paths: string[], path: string): void {
  if (paths.length >= MAX_OWNED_PATHS_PER_FILE) throw new MalformedFile('it names too many files')
  paths.push(path)
}
