import { createHash } from 'node:crypto'
import type { Digest } from '../../domain/digest.ts'
import { MEDIA_TYPE } from '../../domain/manifest.ts'
import type { SigningKey } from './signing-profiles.ts'

/** By the specification of Notary Project signatures, version 1. */
const ARTIFACT_TYPE = 'application/vnd.cncf.notary.signature'
const PAYLOAD_TYPE = 'application/vnd.cncf.notary.payload.v1+json'
const ENVELOPE_TYPE = 'application/jose+json'
const SCHEME = 'io.cncf.notary.signingScheme'
const SIGNING_TIME = 'io.cncf.notary.signingTime'
const SIGNING_AGENT = 'io.cncf.notary.signingAgent'
const THUMBPRINTS = 'io.cncf.notary.x509chain.thumbprint#S256'

/** The manifest that is signed. */
export interface SignedArtifact {
  readonly mediaType: string
  readonly digest: Digest
  readonly sizeBytes: number
}

/** A signature as a registry keeps it: two blobs, and the manifest that names them and refers to what was signed. */
export interface NotationSignature {
  readonly config: Uint8Array
  readonly envelope: Uint8Array
  /** `digests`: those of config and envelope. */
  manifest(digests: { readonly config: Digest; readonly envelope: Digest }): Uint8Array
}

/** Signs an artifact as `notation sign` does, with a JWS of ES384 around its descriptor. `at` is the real time. */
export async function notationSignature(
  artifact: SignedArtifact,
  { privateKey, certificate }: SigningKey,
  at: Date,
): Promise<NotationSignature> {
  const { FlattenedSign } = await import('jose')
  const { mediaType, digest, sizeBytes } = artifact
  const target = { mediaType, digest, size: sizeBytes }
  const moment = `${at.toISOString().slice(0, 'yyyy-mm-ddThh:mm:ss'.length)}Z`
  const jws = await new FlattenedSign(encode({ targetArtifact: target }))
    .setProtectedHeader({
      alg: 'ES384',
      cty: PAYLOAD_TYPE,
      crit: [SCHEME],
      [SCHEME]: 'notary.x509',
      [SIGNING_TIME]: moment,
    })
    .setUnprotectedHeader({ x5c: [certificate.raw.toString('base64')], [SIGNING_AGENT]: 'ecru' })
    .sign(privateKey, { crit: { [SCHEME]: true } })
  const envelope = encode(jws)
  const config = encode({})
  const thumbprint = createHash('sha256').update(certificate.raw).digest('hex')
  return {
    config,
    envelope,
    manifest: (digests) =>
      encode({
        schemaVersion: 2,
        mediaType: MEDIA_TYPE.ociManifest,
        config: { mediaType: ARTIFACT_TYPE, digest: digests.config, size: config.byteLength },
        layers: [{ mediaType: ENVELOPE_TYPE, digest: digests.envelope, size: envelope.byteLength }],
        subject: target,
        annotations: {
          [THUMBPRINTS]: JSON.stringify([thumbprint]),
          'org.opencontainers.image.created': moment,
        },
      }),
  }
}

function encode(document: object): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(document))
}
