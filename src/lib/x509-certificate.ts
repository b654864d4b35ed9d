import { type KeyObject, randomBytes, sign, X509Certificate } from 'node:crypto'
import type { Extension } from '@peculiar/asn1-x509'

const ATTRIBUTES = { country: '2.5.4.6', state: '2.5.4.8', organization: '2.5.4.10', commonName: '2.5.4.3' } as const

/** How a key signs, by the size of its curve. */
const SIGNATURES = {
  'P-256': { algorithm: '1.2.840.10045.4.3.2', hash: 'sha256' },
  'P-384': { algorithm: '1.2.840.10045.4.3.3', hash: 'sha384' },
} as const

const SERIAL_BYTES = 16

/** What a certificate says of its owner, in the order in which it says it. */
export interface CertificateName {
  readonly country?: string
  readonly state?: string
  readonly organization?: string
  readonly commonName: string
}

export interface CertificateRequest {
  readonly subject: CertificateName
  readonly issuer: CertificateName
  /** The key that is certified. */
  readonly publicKey: KeyObject
  /** The issuer's key, on the named curve. */
  readonly signingKey: KeyObject
  readonly signingCurve: keyof typeof SIGNATURES
  readonly notBefore: Date
  readonly notAfter: Date
  /** Made with the two libraries, which are loaded with the first certificate and not with the process. */
  readonly extensions: (make: ExtensionMaker, x509: typeof import('@peculiar/asn1-x509')) => readonly Extension[]
}

/** An extension by its object identifier; its value is a structure of the library. */
export type ExtensionMaker = (id: string, value: unknown, isCritical?: boolean) => Extension

/** Makes and signs a certificate (X.509 v3, ECDSA). */
export async function issueCertificate(request: CertificateRequest): Promise<X509Certificate> {
  const [{ AsnConvert, OctetString }, x509] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
  ])
  const { subject, issuer, publicKey, signingKey, notBefore, notAfter } = request
  const { algorithm, hash } = SIGNATURES[request.signingCurve]
  const nameOf = (name: CertificateName) =>
    new x509.Name(
      (['country', 'state', 'organization', 'commonName'] as const).flatMap((part) => {
        const text = name[part]
        if (text === undefined) return []
        const value = new x509.AttributeValue({ utf8String: text })
        return [new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: ATTRIBUTES[part], value })])]
      }),
    )
  const extension: ExtensionMaker = (extnID, value, critical = true) =>
    new x509.Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) })
  const signature = new x509.AlgorithmIdentifier({ algorithm })
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: bufferOf(serialNumber()),
    signature,
    issuer: nameOf(issuer),
    subject: nameOf(subject),
    validity: new x509.Validity({ notBefore, notAfter }),
    subjectPublicKeyInfo: AsnConvert.parse(
      publicKey.export({ type: 'spki', format: 'der' }),
      x509.SubjectPublicKeyInfo,
    ),
    extensions: new x509.Extensions([...request.extensions(extension, x509)]),
  })
  const signed = sign(hash, new Uint8Array(AsnConvert.serialize(tbsCertificate)), signingKey)
  const certificate = new x509.Certificate({
    tbsCertificate,
    signatureAlgorithm: signature,
    signatureValue: bufferOf(signed),
  })
  return new X509Certificate(new Uint8Array(AsnConvert.serialize(certificate)))
}

/** Positive, and always as long: the highest bit is clear and the next one set. */
function serialNumber(): Uint8Array {
  const [first = 0, ...rest] = randomBytes(SERIAL_BYTES)
  return Uint8Array.of((first & 0x3f) | 0x40, ...rest)
}

function bufferOf(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer
}
