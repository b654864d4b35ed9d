import { isRegistryId, type RegistryId } from './names.ts'

/** `AKIA`: a long-lived key; `ASIA`: a temporary one; `AROA`, `AIDA`: ids of roles and users, of the same make. */
export type KeyPrefix = 'AKIA' | 'ASIA'

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'
const ACCOUNT_SHIFT = 39n
const ACCOUNT_MASK = (1n << 40n) - 1n
const MADE_BY_THIS_SCHEME = 1n << 79n

/** An access key's id, which holds its account as those of AWS do: the prefix, and 80 bits in AWS's alphabet. `random`: five bytes. */
export function accessKeyIdOf(prefix: KeyPrefix, accountId: RegistryId, random: Uint8Array): string {
  const noise = random.subarray(0, 5).reduce((bits, byte) => (bits << 8n) | BigInt(byte), 0n) & ((1n << 39n) - 1n)
  const bits = MADE_BY_THIS_SCHEME | (BigInt(accountId) << ACCOUNT_SHIFT) | noise
  let text = ''
  for (let shift = 75n; shift >= 0n; shift -= 5n) text += ALPHABET[Number((bits >> shift) & 31n)]
  return prefix + text
}

/** The account that an access key's id holds; `undefined` for an id of another make. */
export function accountOfAccessKeyId(accessKeyId: string): RegistryId | undefined {
  const [, text = ''] = /^A[A-Z]{3}([A-Z2-7]{16})$/.exec(accessKeyId) ?? []
  if (text === '') return undefined
  const bits = [...text].reduce((sum, char) => (sum << 5n) | BigInt(ALPHABET.indexOf(char)), 0n)
  if ((bits & MADE_BY_THIS_SCHEME) === 0n) return undefined
  const accountId = String((bits >> ACCOUNT_SHIFT) & ACCOUNT_MASK).padStart(12, '0')
  return isRegistryId(accountId) ? accountId : undefined
}
