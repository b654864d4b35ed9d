import { digestInvalid } from './errors.ts'

/** A content digest in OCI form, `algorithm:lowercase hex`, made only by {@link parseDigest}. */
export type Digest = string & { readonly __brand: 'Digest' }

/** The digest algorithms that OCI registers and Ecru verifies. ECR itself uses sha256 only. */
export type DigestAlgorithm = 'sha256' | 'sha512'

const HEX_LENGTH: Record<DigestAlgorithm, number> = { sha256: 64, sha512: 128 }
const FORM = /^(sha256|sha512):([0-9a-f]+)$/

/** Parses a digest, or answers `undefined` when the text is none that Ecru can verify. */
export function tryParseDigest(text: string): Digest | undefined {
  const match = FORM.exec(text)
  if (match === null) return undefined
  const [, algorithm, hex] = match
  return HEX_LENGTH[algorithm as DigestAlgorithm] === hex?.length ? (text as Digest) : undefined
}

/** Parses a digest. Throws `digest-invalid`. */
export function parseDigest(text: string): Digest {
  const digest = tryParseDigest(text)
  if (digest === undefined) throw digestInvalid(text)
  return digest
}

export function digestAlgorithm(digest: Digest): DigestAlgorithm {
  return digest.startsWith('sha512:') ? 'sha512' : 'sha256'
}

/** The hexadecimal half. */
export function digestHex(digest: Digest): string {
  return digest.slice(digest.indexOf(':') + 1)
}
