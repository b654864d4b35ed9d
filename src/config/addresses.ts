import { awsHosts, awsSuffix } from '../domain/aws-hosts.ts'
import type { Environment } from './env.ts'

/** Certificates from files, or from an authority of our own for these hosts; `undefined`: plain HTTP. */
export type TlsSettings =
  | { readonly kind: 'files'; readonly files: readonly { readonly certFile: string; readonly keyFile: string }[] }
  | { readonly kind: 'own-authority'; readonly hosts: readonly string[] }
  | undefined

/** The host of one registry, from the template. */
export function registryHostFor(template: string, registryId: string, region: string): string {
  return template.replaceAll('{account}', registryId).replaceAll('{region}', region)
}

/** Standing in for AWS needs HTTPS, so it implies the own authority unless the certificate is the operator's. */
export function tlsOf(env: Environment): TlsSettings {
  const { ECRU_TLS_CERT: certFiles, ECRU_TLS_KEY: keyFiles, ECRU_TLS_HOSTS: named, ECRU_AWS_HOSTS: regions } = env
  if (certFiles !== undefined && keyFiles !== undefined)
    return { kind: 'files', files: certFiles.map((certFile, index) => ({ certFile, keyFile: keyFiles[index] ?? '' })) }
  if (named === undefined && (regions === undefined || env.ECRU_ALLOW_PLAIN_HTTP)) return undefined
  const listening = /^(0\.0\.0\.0|::)$/.test(env.ECRU_HOST) ? [] : [env.ECRU_HOST]
  const ofAws = regions === undefined ? [] : awsHosts(regions)
  const ofThisMachine = ['localhost', '127.0.0.1', '::1', ...listening]
  const hosts = [...(named ?? []), ...ofAws, ...ofThisMachine].map((host) => host.toLowerCase())
  return { kind: 'own-authority', hosts: [...new Set(hosts)] }
}

/** ECR's own host names; in China they end otherwise. */
export function awsRegistryHost({ ECRU_AWS_HOSTS: [region] = [] }: Environment): string {
  return `{account}.dkr.ecr.{region}.${region === undefined ? 'amazonaws.com' : awsSuffix(region)}`
}

/** Whether an address can be reached from this machine only. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(\.[0-9]{1,3}){3}$/.test(host)
}
