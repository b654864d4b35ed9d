import { createPrivateKey, createPublicKey, type X509Certificate } from 'node:crypto'
import { type CertificateName, issueCertificate } from './x509-certificate.ts'

/**
 * A self-signed certificate that is good for signing code and nothing else. `privateKey` is a P-384 key in PEM. The subject
 * has all four parts, since trust policies name a signer by them.
 */
export function codeSigningCertificate(
  privateKey: string,
  subject: Required<CertificateName>,
  validity: { readonly notBefore: Date; readonly notAfter: Date },
): Promise<X509Certificate> {
  return issueCertificate({
    ...validity,
    subject,
    issuer: subject,
    publicKey: createPublicKey(privateKey),
    signingKey: createPrivateKey(privateKey),
    signingCurve: 'P-384',
    extensions: (extension, x509) => [
      extension(x509.id_ce_keyUsage, new x509.KeyUsage(x509.KeyUsageFlags.digitalSignature)),
      extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_codeSigning])),
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false })),
    ],
  })
}
