/** One decision about access, as records name it. */
export interface DecidedAccess {
  readonly action: string
  /** The ARN that was asked about, or `*`. */
  readonly resource: string
  readonly outcome: 'allowed' | 'denied' | 'not-allowed'
  /** What decided: a kind of policies, or the account itself. */
  readonly by: string
  /** The policy, and its statement's `Sid`, where a single one decided. */
  readonly policy?: string | undefined
  readonly statementId?: string | undefined
  /** False: it would have been refused if access were enforced. */
  readonly isEnforced: boolean
}
