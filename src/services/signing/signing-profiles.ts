import { createHash, createPrivateKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto'
import { parseSigningProfile, type SigningProfile } from '../../domain/signing/profile.ts'
import type { Clock } from '../../lib/clock.ts'
import { codeSigningCertificate } from '../../lib/code-signing-certificate.ts'
import type { MetadataStore } from '../../stores/metadata.ts'

const DAY_MS = 24 * 3600 * 1000
const LIFETIME_MS = 20 * 365 * DAY_MS

/** The code that ISO 3166 leaves to its users: a local profile is in no country, but trust policies want one. */
const NO_COUNTRY = 'ZZ'

/** With what a profile signs. */
export interface SigningKey {
  readonly privateKey: KeyObject
  readonly certificate: X509Certificate
}

/** What others need to verify the signatures of a profile; nothing of it is secret. */
export interface ProfileCertificate {
  readonly signingProfileArn: string
  readonly subject: string
  readonly expiresAt: Date
  /** SHA-256 of the certificate, hexadecimal. */
  readonly fingerprint: string
  /** PEM. */
  readonly certificate: string
}

/**
 * Signing profiles of this installation, which stand for AWS Signer's of the same ARN. Each has a P-384 key and a certificate
 * for it, made when first needed and kept among the secrets; keys do not leave this class but to sign.
 */
export class SigningProfiles {
  readonly #metadata: MetadataStore
  readonly #clock: Clock

  /** `clock` tells the real time, since certificates are judged elsewhere. */
  constructor(metadata: MetadataStore, clock: Clock) {
    this.#metadata = metadata
    this.#clock = clock
  }

  async keyOf(profile: SigningProfile): Promise<SigningKey> {
    const name = `signing-profile ${profile.arn}`
    const kept = await this.#metadata.view.credentials.findSecret(name)
    // Of two that are made at once, the first that is kept counts for both.
    const secret = kept ?? (await this.#keep(name, await this.#make(profile)))
    const { privateKey, certificate } = JSON.parse(new TextDecoder().decode(secret)) as Record<string, string>
    if (privateKey === undefined || certificate === undefined) throw new Error(`the secret '${name}' is not whole`)
    return { privateKey: createPrivateKey(privateKey), certificate: new X509Certificate(certificate) }
  }

  /** Makes the profile if it was never used. Throws `invalid-parameter`. */
  async certificateOf(arn: string): Promise<ProfileCertificate> {
    const profile = parseSigningProfile(arn)
    const { certificate } = await this.keyOf(profile)
    return {
      signingProfileArn: arn,
      subject: certificate.subject.split('\n').reverse().join(','),
      expiresAt: new Date(certificate.validTo),
      fingerprint: createHash('sha256').update(certificate.raw).digest('hex'),
      certificate: certificate.toString(),
    }
  }

  #keep(name: string, secret: Uint8Array): Promise<Uint8Array> {
    return this.#metadata.transact((tx) => tx.credentials.keepSecret(name, secret))
  }

  async #make({ accountId, region, name }: SigningProfile): Promise<Uint8Array> {
    const { privateKey } = generateKeyPairSync('ec', {
      namedCurve: 'P-384',
      privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
      publicKeyEncoding: { type: 'spki', format: 'pem' },
    })
    const nowMs = Math.floor(this.#clock.now().getTime() / 1000) * 1000
    const certificate = await codeSigningCertificate(
      privateKey,
      { country: NO_COUNTRY, state: region, organization: accountId, commonName: name },
      // A day of grace for verifiers whose clocks are behind.
      { notBefore: new Date(nowMs - DAY_MS), notAfter: new Date(nowMs + LIFETIME_MS) },
    )
    return new TextEncoder().encode(JSON.stringify({ privateKey, certificate: certificate.toString() }))
  }
}
