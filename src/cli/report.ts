/** Two columns: what is said, and what it is said of. Names such as `freedBytes` become words and units. */
export function printFacts(facts: object): string {
  const rows = Object.entries(facts).flatMap(([name, value]) => rowsOf(name, value))
  const width = Math.max(0, ...rows.map(([label]) => label.length))
  return rows.map(([label, text]) => `${label.padEnd(width)}  ${text}\n`).join('')
}

type Row = readonly [label: string, text: string]

function rowsOf(name: string, value: unknown): readonly Row[] {
  if (value === undefined || value === null) return []
  if (Array.isArray(value)) {
    if (value.length === 0) return [[wordsOf(name), 'none']]
    return value.map(
      (one): Row => [wordsOf(name), typeof one === 'object' ? Object.values(one).join('  ') : String(one)],
    )
  }
  if (typeof value === 'object') return Object.entries(value).flatMap(([inner, one]) => rowsOf(inner, one))
  return [rowOf(name, value)]
}

function rowOf(name: string, value: unknown): Row {
  if (typeof value === 'boolean') return [wordsOf(name.replace(/^is(?=[A-Z])/, '')), value ? 'yes' : 'no']
  if (typeof value !== 'number') return [wordsOf(name), String(value)]
  if (/(^|[a-z])bytes$/i.test(name)) return [wordsOf(name.replace(/Bytes$/, '')), printBytes(value)]
  if (name.endsWith('Ms')) return [wordsOf(name.slice(0, -2)), printSeconds(value / 1000)]
  if (name.endsWith('Seconds')) return [wordsOf(name.slice(0, -7)), printSeconds(value)]
  return [wordsOf(name), value.toLocaleString('en-US')]
}

/** `freedBytes` → `freed bytes`. */
function wordsOf(name: string): string {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase()
}

/** A size in the largest binary unit that keeps it above one. */
export function printBytes(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const step = bytes < 1024 ? 0 : Math.min(Math.floor(Math.log2(bytes) / 10), units.length - 1)
  const size = bytes / 1024 ** step
  return `${step === 0 ? size : size.toFixed(size < 10 ? 2 : 1)} ${units[step]}`
}

function printSeconds(seconds: number): string {
  if (seconds < 1) return `${Math.round(seconds * 1000)} ms`
  if (seconds < 60) return `${seconds.toFixed(1)} s`
  const minutes = Math.floor(seconds / 60)
  if (minutes < 60) return `${minutes} min ${Math.floor(seconds % 60)} s`
  const hours = Math.floor(minutes / 60)
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} d ${hours % 24} h`
}
