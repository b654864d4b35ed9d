import { createPrivateKey, createPublicKey, randomBytes, sign, X509Certificate } from 'node:crypto'

const OBJECT = {
  country: '2.5.4.6',
  state: '2.5.4.8',
  organization: '2.5.4.10',
  commonName: '2.5.4.3',
  ecdsaWithSha384: '1.2.840.10045.4.3.3',
} as const

const SERIAL_BYTES = 16

/** What a certificate says of its owner; all four, since trust policies name a signer by them. */
export interface Subject {
  readonly country: string
  readonly state: string
  readonly organization: string
  readonly commonName: string
}

/**
 * A self-signed certificate (X.509 v3, ECDSA with SHA-384) that is good for signing code and nothing else. `privateKey` is a
 * P-384 key in PEM. The library that writes certificates is loaded with the first of them.
 */
export async function codeSigningCertificate(
  privateKey: string,
  subject: Subject,
  validity: { readonly notBefore: Date; readonly notAfter: Date },
): Promise<X509Certificate> {
  const [{ AsnConvert, OctetString }, x509] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-x509'),
  ])
  const name = new x509.Name(
    (['country', 'state', 'organization', 'commonName'] as const).map((part) => {
      const value = new x509.AttributeValue({ utf8String: subject[part] })
      return new x509.RelativeDistinguishedName([new x509.AttributeTypeAndValue({ type: OBJECT[part], value })])
    }),
  )
  const extension = (extnID: string, value: unknown) =>
    new x509.Extension({ extnID, critical: true, extnValue: new OctetString(AsnConvert.serialize(value)) })
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const signature = new x509.AlgorithmIdentifier({ algorithm: OBJECT.ecdsaWithSha384 })
  const tbsCertificate = new x509.TBSCertificate({
    version: x509.Version.v3,
    serialNumber: bufferOf(serialNumber()),
    signature,
    issuer: name,
    subject: name,
    validity: new x509.Validity(validity),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey, x509.SubjectPublicKeyInfo),
    extensions: new x509.Extensions([
      extension(x509.id_ce_keyUsage, new x509.KeyUsage(x509.KeyUsageFlags.digitalSignature)),
      extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_codeSigning])),
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false })),
    ]),
  })
  const signed = sign('sha384', new Uint8Array(AsnConvert.serialize(tbsCertificate)), createPrivateKey(privateKey))
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
