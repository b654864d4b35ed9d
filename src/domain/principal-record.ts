import type { Principal } from './principal.ts'

/** A principal as text, for what is to be done in somebody's name later: with the circumstances of now. */
export function printPrincipal(principal: Principal): string {
  const { sourceIp, isSecure, userAgent, requestId } = principal.circumstances
  return JSON.stringify({ ...principal, circumstances: { sourceIp, isSecure, userAgent, requestId } })
}

/** Reads what `printPrincipal` wrote. */
export function readPrincipal(text: string): Principal {
  const principal = JSON.parse(text) as Principal
  const { session } = principal
  if (session === undefined) return principal
  const { issuedAt, expiresAt } = session
  return { ...principal, session: { ...session, issuedAt: new Date(issuedAt), expiresAt: new Date(expiresAt) } }
}
