/** What somebody wants explained. */
export interface AccessQuestion {
  /** An account, a user, a role, or the session of a role, by ARN; an account also by its id. */
  readonly principal: string
  readonly action: string
  /** An ARN, or `*`. */
  readonly resource: string
  /** What conditions are to find, by key in lower case; what is absent is as in a request from nowhere. */
  readonly context: Readonly<Record<string, readonly string[]>>
}

/** A decision in words, with every statement that has a say. */
export interface AccessReport {
  readonly principal: string
  readonly action: string
  readonly resource: string
  readonly outcome: 'allowed' | 'denied'
  /** A sentence: what decided. */
  readonly reason: string
  readonly statements: readonly ExplainedStatement[]
}

export interface ExplainedStatement {
  readonly kind: string
  readonly policy: string
  /** Its Sid, or its place in the policy, from 1: `#1`. */
  readonly statement: string
  readonly effect: string
  readonly outcome: string
}
