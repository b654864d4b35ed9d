import { createPrivateKey, X509Certificate } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { CertificateError, type Certificates, type ServedCertificate } from './certificates.ts'

/** A certificate chain and its key in PEM, as the operator names them. */
export interface CertificateFiles {
  readonly certFile: string
  readonly keyFile: string
}

/** How often the files are looked at: what renews certificates writes them anew, and does not tell. */
const LOOK_MS = 60_000

/**
 * Certificates from the operator's files, read again when they change. Of several, each is shown to clients that ask for a
 * host it names. Throws `CertificateError` when they cannot be used at the start; later ones that cannot are left alone.
 */
export async function openCertificateFiles(
  files: readonly CertificateFiles[],
  lookMs: number = LOOK_MS,
): Promise<Certificates> {
  let current = await readAll(files)
  let timer: ReturnType<typeof setInterval> | undefined
  let isLooking = false
  const look = async (onChange: () => void) => {
    const read = await readAll(files)
    const isSame = read.every(({ certificate, privateKey }, index) => {
      const known = current[index]
      return certificate === known?.certificate && privateKey === known.privateKey
    })
    if (isSame) return
    current = read
    onChange()
  }
  return {
    authority: rootOf(current),
    current: () => current,
    watch(onChange, onFailure) {
      timer = setInterval(() => {
        if (isLooking) return
        isLooking = true
        look(onChange)
          .catch(onFailure)
          .finally(() => {
            isLooking = false
          })
      }, lookMs)
      timer.unref()
    },
    close: () => clearInterval(timer),
  }
}

function readAll(files: readonly CertificateFiles[]): Promise<readonly ServedCertificate[]> {
  return Promise.all(files.map(readPair))
}

async function readPair({ certFile, keyFile }: CertificateFiles): Promise<ServedCertificate> {
  const [certificate, privateKey] = await Promise.all([readText(certFile), readText(keyFile)])
  const leaf = parse(certificate, certFile)
  // Only half of a renewal may be there yet.
  try {
    if (!leaf.checkPrivateKey(createPrivateKey(privateKey)))
      throw new CertificateError(`${keyFile} is not the key of the certificate in ${certFile}.`)
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause
    throw new CertificateError(`${keyFile} holds no private key that can be used: ${reasonOf(cause)}.`, { cause })
  }
  return { certificate, privateKey, hosts: hostsOf(leaf) }
}

function hostsOf({ subjectAltName = '' }: X509Certificate): readonly string[] {
  return [...subjectAltName.matchAll(/DNS:([^,\s]+)/g)].map(([, host = '']) => host.toLowerCase())
}

/** The end of the chain, when it is there: what clients have to trust. */
function rootOf([first]: readonly ServedCertificate[]): string | undefined {
  const last = first?.certificate.match(/-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/g)?.at(-1)
  if (last === undefined) return undefined
  const certificate = new X509Certificate(last)
  return certificate.subject === certificate.issuer ? `${last}\n` : undefined
}

function parse(text: string, file: string): X509Certificate {
  try {
    return new X509Certificate(text)
  } catch (cause) {
    throw new CertificateError(`${file} holds no certificate that can be read: ${reasonOf(cause)}.`, { cause })
  }
}

async function readText(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (cause) {
    throw new CertificateError(`${file} cannot be read: ${reasonOf(cause)}.`, { cause })
  }
}

function reasonOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
