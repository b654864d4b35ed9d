import { isLoopbackHost, registryHostFor, tlsOf } from './addresses.ts'
import type { Environment } from './env.ts'
import { masterKeySourcesOf } from './master-key-sources.ts'
import { HOUR_MS } from './schema.ts'

/** What cannot be meant together, a sentence for each mistake. */
export function contradictions(env: Environment): string[] {
  const mistakes: string[] = []
  if (env.ECRU_TLS_CERT?.length !== env.ECRU_TLS_KEY?.length) {
    mistakes.push('ECRU_TLS_CERT and ECRU_TLS_KEY are needed together, each key for its certificate.')
  }
  if (env.ECRU_TLS_CERT !== undefined && env.ECRU_TLS_HOSTS !== undefined) {
    mistakes.push('ECRU_TLS_CERT and ECRU_TLS_HOSTS exclude each other: the certificate is yours, or Ecru makes one.')
  }
  if ((env.ECRU_ROOT_ACCESS_KEY_ID === undefined) !== (env.ECRU_ROOT_SECRET_ACCESS_KEY === undefined)) {
    mistakes.push('ECRU_ROOT_ACCESS_KEY_ID and ECRU_ROOT_SECRET_ACCESS_KEY are needed together.')
  }
  if (env.ECRU_REGISTRY_HOST !== undefined && !isHostTemplate(env.ECRU_REGISTRY_HOST)) {
    mistakes.push(
      `ECRU_REGISTRY_HOST must be a host name, with a port if need be and without a scheme, in which only {account} and {region} are filled in, not '${env.ECRU_REGISTRY_HOST.slice(0, 80)}'.`,
    )
  }
  if (env.ECRU_REGISTRY_HOST?.toLowerCase() === env.ECRU_PUBLIC_HOST.toLowerCase()) {
    mistakes.push(
      'ECRU_REGISTRY_HOST and ECRU_PUBLIC_HOST must differ: by the host it is known which registries are meant.',
    )
  }
  if (masterKeySourcesOf(env).length > 1) {
    mistakes.push('Only one of ECRU_MASTER_KEY_FILE, ECRU_MASTER_KEY and ECRU_MASTER_KEY_COMMAND can be given.')
  }
  if (env.ECRU_SCAN_ENGINE === 'adapter' && (!env.ECRU_SCAN_ADAPTER_URL || !env.ECRU_SCAN_REGISTRY_URL))
    mistakes.push('ECRU_SCAN_ENGINE=adapter needs ECRU_SCAN_ADAPTER_URL and ECRU_SCAN_REGISTRY_URL.')
  if (!isLoopbackHost(env.ECRU_HOST)) mistakes.push(...exposureMistakes(env))
  if (env.ECRU_PROFILE === 'server') {
    if (env.ECRU_GC_GRACE < HOUR_MS) mistakes.push('ECRU_GC_GRACE must be at least 1h in the server profile.')
    if (env.ECRU_UPLOAD_EXPIRY < 24 * HOUR_MS) {
      mistakes.push('ECRU_UPLOAD_EXPIRY must be at least 24h in the server profile.')
    }
  }
  return mistakes
}

function exposureMistakes(env: Environment): string[] {
  if (env.ECRU_PROFILE === 'dev') {
    if (env.ECRU_ALLOW_OPEN_ACCESS) return []
    return [
      `The dev profile makes every caller an administrator, so it does not listen on '${env.ECRU_HOST}': use ECRU_PROFILE=server, or ECRU_ALLOW_OPEN_ACCESS=true where everyone who can reach it is welcome.`,
    ]
  }
  if (tlsOf(env) !== undefined || env.ECRU_ALLOW_PLAIN_HTTP) return []
  return [
    `The server profile does not listen on '${env.ECRU_HOST}' without TLS: give ECRU_TLS_CERT and ECRU_TLS_KEY, or ECRU_TLS_HOSTS for certificates of its own, or ECRU_ALLOW_PLAIN_HTTP=true when a proxy in front ends TLS.`,
  ]
}

function isHostTemplate(template: string): boolean {
  const filled = registryHostFor(template, '000000000000', 'us-east-1')
  return /^[0-9a-z]([0-9a-z.-]{0,251}[0-9a-z])?(:[0-9]{1,5})?$/i.test(filled)
}
