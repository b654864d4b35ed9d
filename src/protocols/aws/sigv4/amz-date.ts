const AMZ_DATE = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/

/** Parses `20260101T000000Z`; `undefined` when it is not of that form or names no moment. */
export function parseAmzDate(text: string): Date | undefined {
  const parts = AMZ_DATE.exec(text)
  if (parts === null) return undefined
  const [, year, month, day, hour, minute, second] = parts
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  // The engine rolls a 30th of February over into March.
  return Number.isNaN(date.getTime()) || printAmzDate(date) !== text ? undefined : date
}

/** Prints `20260101T000000Z`. */
export function printAmzDate(date: Date): string {
  return `${date.toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`
}
