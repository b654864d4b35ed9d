/** Compares two runs of decimal digits as numbers of any size; an empty run is zero. */
export function compareDigits(a: string, b: string): number {
  const left = withoutZeros(a)
  const right = withoutZeros(b)
  return left.length - right.length || compareText(left, right)
}

/** Compares texts by code unit. */
export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Whether the text is one run of decimal digits. */
export function isDigits(text: string): boolean {
  return /^[0-9]+$/.test(text)
}

function withoutZeros(digits: string): string {
  let start = 0
  while (start < digits.length && digits.charCodeAt(start) === 48) start++
  return start === 0 ? digits : digits.slice(start)
}
