/** What is wrong with a policy's text, in IAM's words. ECR has one sentence of its own for all of them but one. */
export class PolicyMistake extends Error {
  override readonly name = 'PolicyMistake'
  /** `principal`: somebody is named who cannot exist. */
  readonly kind: 'document' | 'principal'

  constructor(message: string, kind: 'document' | 'principal' = 'document', options?: ErrorOptions) {
    super(message, options)
    this.kind = kind
  }
}

/** A text or a list of texts, at least one. Throws `PolicyMistake`. */
export function asTexts(value: unknown): readonly string[] {
  const list: readonly unknown[] = Array.isArray(value) ? value : [value]
  if (list.length === 0) throw new PolicyMistake('Syntax errors in policy.')
  return list.map((entry) => {
    if (typeof entry !== 'string') throw new PolicyMistake('Syntax errors in policy.')
    return entry
  })
}
