import type { PackageFacts } from './layer-facts.ts'
import { textOf } from './malformed-file.ts'

/** Longer than the headers of any real METADATA file; the description behind them does not count. */
const HEADER_BYTES = 256 * 1024

/**
 * The package of a `METADATA` or `PKG-INFO` file: fields as in a mail header, up to the first empty line. The name is as
 * stated; comparing it takes the normal form of PEP 503.
 */
export function parsePythonMetadata(bytes: Uint8Array): readonly PackageFacts[] {
  const fields = new Map<string, string>()
  const classifiers: string[] = []
  for (const line of textOf(bytes.subarray(0, HEADER_BYTES)).split(/\r?\n/)) {
    if (line === '') break
    const [, field, value] = /^([A-Za-z-]+):\s*(.*)$/.exec(line) ?? []
    if (field === undefined || value === undefined) continue
    const licence = field === 'Classifier' ? /^License :: (?:OSI Approved :: )?(.+)$/.exec(value)?.[1] : undefined
    if (licence !== undefined) classifiers.push(licence)
    if (!fields.has(field)) fields.set(field, value.trim())
  }
  const name = fields.get('Name')
  const version = fields.get('Version')
  if (!name || !version) return []
  const expression = fields.get('License-Expression') ?? fields.get('License')
  // Some put the whole text of their licence there; then the classifier says it shorter.
  const isName = expression !== undefined && expression !== '' && expression !== 'UNKNOWN' && expression.length <= 80
  const licences = isName ? [expression] : classifiers
  return [{ type: 'pypi', name, version, licences: licences.length === 0 ? undefined : licences }]
}
