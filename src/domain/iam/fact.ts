/**
 * What is known of a request under a condition key: its values, that the key is absent (`undefined`), or nothing at all,
 * which must never be taken for an absence.
 */
export type Fact = readonly string[] | undefined | 'unknown'

/** Looks a condition key up, in lower case. */
export type Facts = (key: string) => Fact
