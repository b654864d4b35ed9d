import { join } from 'node:path'
import type { Config } from '../config/config.ts'
import type { Clock } from '../lib/clock.ts'
import type { Certificates } from './certificates.ts'

/** Where the own authority lies in a data directory. */
export const TLS_DIRECTORY = 'tls'

/** The certificates that the configuration speaks of; `undefined`: plain HTTP. Throws `CertificateError`. */
export async function openCertificates({ tls, storage }: Config, clock: Clock): Promise<Certificates | undefined> {
  if (tls === undefined) return undefined
  if (tls.kind === 'files') {
    const { openCertificateFiles } = await import('./certificate-files.ts')
    return openCertificateFiles(tls.files)
  }
  const { openOwnAuthority } = await import('./own-authority.ts')
  const directory = storage.kind === 'directory' ? join(storage.path, TLS_DIRECTORY) : undefined
  return openOwnAuthority(directory, tls.hosts, clock)
}
