import type { EntityKind } from './entity.ts'

const PREFIXES = { user: 'AIDA', group: 'AGPA', role: 'AROA', policy: 'ANPA' } as const

/** How many random bytes an id takes. */
export const UNIQUE_ID_BYTES = 11

/** An id as IAM gives them to entities, such as `AIDAQ3EXAMPLE7EXAMPLE`: never given twice. */
export function newUniqueId(kind: Exclude<EntityKind, 'oidc-provider'>, bytes: Uint8Array): string {
  return PREFIXES[kind] + base32(bytes).slice(0, 17)
}

/** The id of a long-lived access key, from ten random bytes. */
export function newAccessKeyId(bytes: Uint8Array): string {
  return `AKIA${base32(bytes)}`
}

/** The secret that goes with it, from thirty random bytes. */
export function newSecretAccessKey(bytes: Uint8Array): string {
  return bytes.toBase64()
}

const BASE32 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

/** AWS's alphabet, five bits for each character; bits that are left over are dropped. */
function base32(bytes: Uint8Array): string {
  const bits = [...bytes].map((byte) => byte.toString(2).padStart(8, '0')).join('')
  return (bits.match(/.{5}/g) ?? []).map((five) => BASE32[Number.parseInt(five, 2)]).join('')
}
