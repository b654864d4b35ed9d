/** What is wrong with a policy's text. Never leaves the parser: ECR has one sentence for all of them but one. */
export class PolicyMistake extends Error {
  override readonly name = 'PolicyMistake'
  /** `principal`: somebody is named who cannot exist. */
  readonly kind: 'document' | 'principal'

  constructor(message: string, kind: 'document' | 'principal' = 'document') {
    super(message)
    this.kind = kind
  }
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** A text or a list of texts, at least one. Throws `PolicyMistake`. */
export function asTexts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new PolicyMistake('A list is empty')
  return list.map((entry) => {
    if (typeof entry !== 'string') throw new PolicyMistake('An entry is not a text')
    return entry
  })
}
