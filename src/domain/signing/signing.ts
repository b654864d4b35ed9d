export type SigningStatus = 'IN_PROGRESS' | 'COMPLETE' | 'FAILED'

/** How far the signing of an image by one profile has come. */
export interface ImageSigning {
  readonly profileArn: string
  readonly status: SigningStatus
  /** What went wrong: for programs, and for people. */
  readonly failure?: SigningFailure | undefined
}

export interface SigningFailure {
  readonly code: string
  readonly reason: string
}
