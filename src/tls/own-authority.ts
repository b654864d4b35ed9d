import { X509Certificate } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import { authorityCertificate, type KeyedCertificate, serverCertificate } from '../lib/server-certificate.ts'
import { CertificateError, type Certificates, type ServedCertificate } from './certificates.ts'

const DAY_MS = 24 * 3600 * 1000
const AUTHORITY_LIFETIME_MS = 3650 * DAY_MS
/** What Apple's and other clients accept from any authority. */
const SERVER_LIFETIME_MS = 90 * DAY_MS
const RENEWED_BEFORE_MS = 30 * DAY_MS
/** A day of grace for clients whose clocks are behind. */
const GRACE_MS = DAY_MS
const LOOK_MS = 3600 * 1000

const AUTHORITY_NAME = { organization: 'Ecru', commonName: 'Ecru certificate authority' }

export const AUTHORITY_FILE = 'ca.crt'
const AUTHORITY_KEY_FILE = 'ca.key'

/**
 * Certificates by an authority of our own, kept in a directory (in memory when there is none): made once and good for ten
 * years, so that clients are told to trust it once. The server's certificate is made at every start and renewed in time.
 * `clock` tells the real time. Throws `CertificateError`.
 */
export async function openOwnAuthority(
  directory: string | undefined,
  hosts: readonly string[],
  clock: Clock,
): Promise<Certificates> {
  const authority = await loadOrMake(directory, clock)
  const certificate = new X509Certificate(authority.certificate)
  const issuer = { certificate, name: AUTHORITY_NAME, privateKey: authority.privateKey }
  const issue = async (): Promise<Issued> => {
    const nowMs = seconds(clock.now().getTime())
    const expiresAtMs = nowMs + SERVER_LIFETIME_MS
    const validity = { notBefore: new Date(nowMs - GRACE_MS), notAfter: new Date(expiresAtMs) }
    const leaf = await serverCertificate(issuer, hosts, validity)
    return { served: { certificate: leaf.certificate, privateKey: leaf.privateKey, hosts }, expiresAtMs }
  }
  let issued = await issue()
  let timer: ReturnType<typeof setInterval> | undefined
  return {
    authority: authority.certificate,
    current: () => [issued.served],
    watch(onChange, onFailure) {
      timer = setInterval(() => {
        if (issued.expiresAtMs - clock.now().getTime() > RENEWED_BEFORE_MS) return
        issue().then((renewed) => {
          issued = renewed
          onChange()
        }, onFailure)
      }, LOOK_MS)
      timer.unref()
    },
    close: () => clearInterval(timer),
  }
}

interface Issued {
  readonly served: ServedCertificate
  readonly expiresAtMs: number
}

async function loadOrMake(directory: string | undefined, clock: Clock): Promise<KeyedCertificate> {
  const nowMs = seconds(clock.now().getTime())
  const make = () =>
    authorityCertificate(AUTHORITY_NAME, {
      notBefore: new Date(nowMs - GRACE_MS),
      notAfter: new Date(nowMs + AUTHORITY_LIFETIME_MS),
    })
  if (directory === undefined) return make()
  const [certificateFile, keyFile] = [join(directory, AUTHORITY_FILE), join(directory, AUTHORITY_KEY_FILE)]
  try {
    const known = await load(certificateFile, keyFile)
    if (known !== undefined) return known
    const made = await make()
    await mkdir(directory, { recursive: true, mode: 0o700 })
    // The certificate is last: where it is, there is its key.
    await writeDurably(keyFile, made.privateKey, 0o600)
    await writeDurably(certificateFile, made.certificate, 0o644)
    return made
  } catch (cause) {
    if (cause instanceof CertificateError) throw cause
    throw new CertificateError(
      `The certificate authority in ${directory} cannot be used: ${cause instanceof Error ? cause.message : String(cause)}.`,
      { cause },
    )
  }
}

async function load(certificateFile: string, keyFile: string): Promise<KeyedCertificate | undefined> {
  const certificate = await readIfThere(certificateFile)
  if (certificate === undefined) return undefined
  const privateKey = await readIfThere(keyFile)
  if (privateKey === undefined)
    throw new CertificateError(
      `${certificateFile} is there and its key ${keyFile} is not: bring it back from a backup, or remove the certificate and tell every client to trust the new one.`,
    )
  return { certificate, privateKey }
}

async function readIfThere(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (failure) {
    if ((failure as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw failure
  }
}

async function writeDurably(file: string, text: string, mode: number): Promise<void> {
  const staged = `${file}.new`
  const handle = await open(staged, 'w', mode)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(staged, file)
}

/** Certificates tell time in whole seconds. */
function seconds(ms: number): number {
  return Math.floor(ms / 1000) * 1000
}
