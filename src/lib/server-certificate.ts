import { createPrivateKey, createPublicKey, generateKeyPairSync, type X509Certificate } from 'node:crypto'
import { isIP } from 'node:net'
import { type CertificateName, issueCertificate } from './x509-certificate.ts'

/** A certificate with its private key, both in PEM. */
export interface KeyedCertificate {
  readonly certificate: string
  readonly privateKey: string
}

export interface Validity {
  readonly notBefore: Date
  readonly notAfter: Date
}

/** The certificate of an authority that vouches for servers: signed by itself, good for signing certificates and nothing else. */
export async function authorityCertificate(name: CertificateName, validity: Validity): Promise<KeyedCertificate> {
  const privateKey = newKey()
  const certificate = await issueCertificate({
    ...validity,
    subject: name,
    issuer: name,
    publicKey: createPublicKey(privateKey),
    signingKey: createPrivateKey(privateKey),
    signingCurve: 'P-256',
    extensions: (extension, x509) => [
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: true, pathLenConstraint: 0 })),
      extension(x509.id_ce_keyUsage, new x509.KeyUsage(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign)),
    ],
  })
  return { certificate: certificate.toString(), privateKey }
}

/** The certificate of a server that answers to all `hosts` (names, wildcards such as `*.example.com`, addresses), with a new key. */
export async function serverCertificate(
  authority: { readonly certificate: X509Certificate; readonly name: CertificateName; readonly privateKey: string },
  hosts: readonly string[],
  validity: Validity,
): Promise<KeyedCertificate> {
  const privateKey = newKey()
  const certificate = await issueCertificate({
    ...validity,
    // Clients look at the alternative names only.
    subject: { commonName: 'Ecru registry' },
    issuer: authority.name,
    publicKey: createPublicKey(privateKey),
    signingKey: createPrivateKey(authority.privateKey),
    signingCurve: 'P-256',
    extensions: (extension, x509) => [
      extension(x509.id_ce_basicConstraints, new x509.BasicConstraints({ cA: false })),
      extension(x509.id_ce_keyUsage, new x509.KeyUsage(x509.KeyUsageFlags.digitalSignature)),
      extension(x509.id_ce_extKeyUsage, new x509.ExtendedKeyUsage([x509.id_kp_serverAuth]), false),
      extension(
        x509.id_ce_subjectAltName,
        new x509.SubjectAlternativeName(
          hosts.map((host) =>
            isIP(host) === 0 ? new x509.GeneralName({ dNSName: host }) : new x509.GeneralName({ iPAddress: host }),
          ),
        ),
        false,
      ),
    ],
  })
  return { certificate: certificate.toString(), privateKey }
}

function newKey(): string {
  return generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey
}
