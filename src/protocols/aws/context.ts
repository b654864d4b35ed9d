import type { AuditTrail } from '../../domain/audit/api-call.ts'
import type { Region } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { Clock } from '../../lib/clock.ts'

/** The secrets behind an access key that this registry issued. */
export interface KeySecrets {
  readonly secretAccessKey: string
  /** Temporary keys come with a token that every request must repeat: its SHA-256 in hex. */
  readonly sessionTokenHash?: string | undefined
  /** Why the key opens nothing any more. */
  readonly refusal?: 'invalid' | 'expired' | undefined
}

/** Slows down whoever guesses the secrets of keys. */
export interface SignatureAttempts {
  /** Throws `throttled` for somebody who has guessed too often. */
  admit(who: string): void
  /** Counts a wrong signature. Throws `throttled` when there were too many. */
  failed(who: string): void
}

/** Who is behind an access key. */
export interface Callers {
  /** `undefined`: this registry did not issue the key. */
  findSecrets(accessKeyId: string): Promise<KeySecrets | undefined>
  /** The caller behind a key that was verified, or that the dev profile accepts as it is. */
  identify(signedBy: {
    readonly accessKeyId: string
    readonly isVerified: boolean
    readonly region?: string
    readonly service?: string
  }): Promise<Principal>
}

/** What the AWS protocols need of the process around them. */
export interface AwsSetting {
  readonly clock: Clock
  /** `dev` accepts access keys that this registry did not issue; `server` verifies every signature. */
  readonly profile: 'dev' | 'server'
  readonly callers: Callers
  /** Absent: wrong signatures are not counted. */
  readonly attempts?: SignatureAttempts | undefined
  /** Absent: nobody writes down who calls. */
  readonly audit?: AuditTrail | undefined
  /** Takes what went wrong on our side; the answer shows the request id only. */
  report(thrown: unknown, requestId: string): void
}

/** A call whose credentials were checked, as operations see it. */
export interface AwsCall {
  readonly principal: Principal
  /** The region of the signature's scope: the one that is meant. */
  readonly region: Region
  readonly requestId: string
  /** Scheme and host by which the caller reached the API, such as `http://localhost:4566`. */
  readonly origin: string
}

/** The origin of a request, also behind a proxy that ends TLS: it is shown to this very caller only. */
export function originOf(request: Request, isSecure: boolean): string {
  const { protocol, host } = new URL(request.url)
  const isHttps = isSecure || protocol === 'https:' || request.headers.get('x-forwarded-proto') === 'https'
  return `${isHttps ? 'https' : 'http'}://${request.headers.get('host') ?? host}`
}
