/** A certificate chain and its key in PEM, as a server shows them. */
export interface ServedCertificate {
  readonly certificate: string
  readonly privateKey: string
  /** The host names that are asked for it, `*.` wildcards included; of the first one in a list, the others that nobody has too. */
  readonly hosts: readonly string[]
}

/** What a server shows to whom, and how that changes while it runs. */
export interface Certificates {
  /** At least one; the first is for clients that name no host, or one that nobody has. */
  current(): readonly ServedCertificate[]
  /** Looks for what is due or has changed, now and then; `onChange` hears of it, `onFailure` of what could not be taken. */
  watch(onChange: () => void, onFailure: (error: Error) => void): void
  /** What clients have to trust, in PEM; `undefined`: whoever signed the operator's certificates. */
  readonly authority: string | undefined
  close(): void
}

/** The certificates cannot be used; the message is a whole sentence for the operator. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError'
}
