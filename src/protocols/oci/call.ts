import type { Registry, RepositoryRef } from '../../domain/names.ts'
import type { Principal } from '../../domain/principal.ts'
import type { RequestCircumstances } from '../http/circumstances.ts'
import type { RequestContext } from '../http/context.ts'
import { pathOf } from '../http/router.ts'
import type { OciServices } from './services.ts'

/** A request on `/v2/` whose credentials were checked. */
export interface OciCall {
  readonly request: Request
  readonly context: RequestContext
  readonly services: OciServices
  readonly principal: Principal
  /** The same that the principal has, with what was decided. */
  readonly circumstances: RequestCircumstances
  readonly registry: Registry
}

/** The same, about one repository (which may not exist). */
export interface RepositoryCall extends OciCall {
  readonly ref: RepositoryRef
  /** What the client calls it: the repository's name, behind an alias where the registry is public. */
  readonly wireName: string
}

/**
 * Scheme and host by which the client reached us, for the absolute URLs that ECR answers with; empty when the client named
 * no host or none that can be one, so that URLs become relative. A proxy that ends TLS says so in `X-Forwarded-Proto`;
 * nothing but this client's own answer depends on it.
 */
export function originOf(request: Request): string {
  const host = hostOf(request)
  if (host === '') return ''
  const forwarded = request.headers.get('x-forwarded-proto')
  const isForwarded = forwarded === 'https' || forwarded === 'http'
  const scheme = isForwarded ? forwarded : request.url.slice(0, request.url.indexOf(':'))
  return `${scheme}://${host}`
}

/** The host (and port) by which the client reached us; empty as above: the server then gives a bare path as the URL. */
export function hostOf({ url }: Request): string {
  if (url.startsWith('/')) return ''
  const start = url.indexOf('://') + 3
  const end = url.indexOf('/', start)
  return url.slice(start, end < 0 ? undefined : end)
}

/** Where the client came, without the query: the address of an upload. */
export function addressOf(request: Request): string {
  return originOf(request) + pathOf(request.url)
}

/** The absolute URL of something in the call's repository. */
export function repositoryUrl({ request, wireName }: RepositoryCall, path: string): string {
  return `${originOf(request)}/v2/${wireName}/${path}`
}

export function queryOf({ url }: Request): URLSearchParams {
  const start = url.indexOf('?')
  return new URLSearchParams(start < 0 ? '' : url.slice(start + 1))
}

/** Makes the repository of a push, where a template or the registry's configuration says so. */
export async function ensureRepository({ services, principal, ref }: RepositoryCall): Promise<void> {
  await services.pushTargets.ensure(principal, ref)
}
