/** Rows under headings in columns as wide as their widest cell; numbers stand to the right. Nothing when there are no rows. */
export function printTable(headings: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  if (rows.length === 0) return ''
  const widths = headings.map((heading, at) => Math.max(heading.length, ...rows.map((row) => cellOf(row[at]).length)))
  const isNumber = headings.map((_, at) => rows.every((row) => typeof row[at] === 'number'))
  const line = (cells: readonly (string | number)[]) =>
    cells
      .map((cell, at) => (isNumber[at] ? cellOf(cell).padStart(widths[at] ?? 0) : cellOf(cell).padEnd(widths[at] ?? 0)))
      .join('  ')
      .trimEnd()
  return [headings, ...rows].map((cells) => `${line(cells)}\n`).join('')
}

function cellOf(cell: string | number | undefined): string {
  return typeof cell === 'number' ? cell.toLocaleString('en-US') : plainText(cell ?? '')
}

/** What the terminal would obey (escapes, line ends, changes of direction), made visible: some texts are those of strangers. */
export function plainText(text: string): string {
  return text.replace(/[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/gu, '\ufffd')
}
