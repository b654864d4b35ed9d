import type { PackageFacts } from './layer-facts.ts'
import { textOf } from './malformed-file.ts'
import { baseName } from './paths.ts'

/** Longer than the part of any real gemspec that says name and version. */
const SPECIFICATION_BYTES = 256 * 1024

/**
 * The gem of a `.gemspec` file that RubyGems installed. It is a program, which is not run: what RubyGems itself writes
 * is matched, and where somebody wrote it by hand the file's name says it.
 */
export function parseGemspec(bytes: Uint8Array, path: string): readonly PackageFacts[] {
  const text = textOf(bytes.subarray(0, SPECIFICATION_BYTES))
  const [, fileName, fileVersion] = /^(.+?)-(\d[0-9A-Za-z.]*)(?:-[\w.-]+)?\.gemspec$/.exec(baseName(path)) ?? []
  const name = assigned(text, 'name') ?? fileName
  const version = assigned(text, 'version') ?? fileVersion
  if (name === undefined || version === undefined) return []
  const [, list] = /\.licenses?\s*=\s*\[?([^\]\n]*)/.exec(text) ?? []
  const licences = [...(list ?? '').matchAll(/["']([^"'\n]+)["']/g)].flatMap(([, one]) =>
    one === undefined ? [] : [one],
  )
  return [{ type: 'gem', name, version, licences: licences.length === 0 ? undefined : licences }]
}

/** `s.name = "rack".freeze`, `s.version = Gem::Version.new("2.0.6")` */
function assigned(text: string, attribute: 'name' | 'version'): string | undefined {
  const pattern = new RegExp(`\\.${attribute}\\s*=\\s*(?:Gem::Version\\.new\\s*(?:\\(\\s*)?)?["']([^"'\\n#{}]+)["']`)
  return pattern.exec(text)?.[1]
}
