/**
 * Findings as the text of a part has them: a JSON array with one line for each, so that a few can be read and replaced while
 * the others stay text. JSON has no line break inside of it.
 */
export function partOf(lines: readonly string[]): string {
  return `[\n${lines.join(',\n')}\n]`
}

/** Each finding of a part as JSON. Earlier versions have written parts without line breaks. */
export function linesOf(part: string): readonly string[] {
  if (part.startsWith('[\n')) return part.slice(2, -2).split(',\n')
  return (JSON.parse(part) as readonly unknown[]).map((finding) => JSON.stringify(finding))
}

const PACKAGE = '"package":{'
const NAME = '"name":"'

/** The name of the package that a finding is about, found without reading the rest: quotes inside of texts are escaped. */
export function packageNameOf(line: string): string {
  const from = line.indexOf(NAME, line.indexOf(PACKAGE) + PACKAGE.length) + NAME.length
  const name = line.slice(from, line.indexOf('"', from))
  if (!name.includes('\\')) return name
  return (JSON.parse(line) as { readonly package: { readonly name: string } }).package.name
}
