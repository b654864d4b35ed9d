import { invalidParameters } from '../errors.ts'
import { invalidInput } from './errors.ts'

/** The name of a provider: its URL without scheme. Throws `invalid-parameter` for what is no issuer's URL. */
export function providerNameOf(url: string): string {
  const parsed = URL.parse(url)
  if (parsed === null || parsed.protocol !== 'https:' || parsed.search !== '' || parsed.hash !== '')
    throw invalidParameters('Invalid Open ID Connect Provider URL')
  if (parsed.username !== '' || parsed.password !== '') throw invalidParameters('Invalid Open ID Connect Provider URL')
  return url.slice('https://'.length).replace(/\/$/, '')
}

/** SHA-1 of a certificate, hexadecimal; clients may separate the bytes. Throws `input-invalid`. */
export function checkThumbprints(thumbprints: readonly string[], max: number): readonly string[] {
  if (thumbprints.length > max) throw invalidInput('Thumbprint list must contain fewer than 5 entries.')
  for (const thumbprint of thumbprints)
    if (!/^[0-9a-f]{40}$/i.test(thumbprint)) throw invalidInput(`Invalid thumbprint: ${thumbprint}`)
  return thumbprints
}
