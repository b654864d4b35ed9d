import { parseDuration, printDuration } from './duration.ts'

export const SECOND_MS = 1000
export const MINUTE_MS = 60 * SECOND_MS
export const HOUR_MS = 60 * MINUTE_MS
export const YEAR_MS = 365 * 24 * HOUR_MS

/** How the text of a variable becomes its value. */
export interface Schema<T> {
  /** `undefined`: it cannot be read. */
  readonly read: (text: string) => T | undefined
  /** Completes a sentence that begins with the variable's name, when it cannot. */
  readonly mistake: string
}

/** A text that `read` understands; when it answers `undefined`, the sentence says what it should have been. */
export const readAs = <T>(read: (given: string) => T | undefined, mistake: string): Schema<T> => ({ read, mistake })

/** Any text. */
export const text = () => readAs((given) => given, 'must be a text')

/** A text of that form. */
export const matching = (pattern: RegExp, sentence: string) =>
  readAs((given) => (pattern.test(given) ? given : undefined), sentence)

/** Texts with commas between, each of which has the form. */
export const list = (form: RegExp, sentence: string) =>
  readAs((given) => {
    const items = given.split(',').map((item) => item.trim())
    return items.every((item) => form.test(item)) ? items : undefined
  }, sentence)

/** One of these words. */
export const oneOf = <const T extends readonly string[]>(...values: T) =>
  readAs(
    (given): T[number] | undefined => values.find((value) => value === given),
    `must be one of ${values.join(', ')}`,
  )

/** A whole number between two bounds, both of which it may be. */
export const wholeNumber = (least: number, most: number) =>
  readAs(
    (given) =>
      /^[0-9]{1,15}$/.test(given) && Number(given) >= least && Number(given) <= most ? Number(given) : undefined,
    `must be a whole number from ${least} to ${most}`,
  )

const YES = ['true', 'yes', 'on', '1']
const NO = ['false', 'no', 'off', '0']

/** A truth, as people write it. */
export const yesOrNo = () =>
  readAs((given) => {
    const answer = given.toLowerCase()
    return YES.includes(answer) ? true : NO.includes(answer) ? false : undefined
  }, 'must be true or false')

/** A duration between two bounds, in milliseconds. */
export const duration = (leastMs: number, mostMs: number) =>
  readAs(
    (given) => {
      const durationMs = parseDuration(given)
      return durationMs !== undefined && durationMs >= leastMs && durationMs <= mostMs ? durationMs : undefined
    },
    `must be a duration from ${printDuration(leastMs)} to ${printDuration(mostMs)}, such as 90s, 15m, 24h or 7d`,
  )
