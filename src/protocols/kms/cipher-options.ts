import { invalidParameter } from '../../domain/errors.ts'
import type { CipherOptions } from '../../services/kms/key-cryptography.ts'

interface CipherInput {
  readonly EncryptionContext?: Readonly<Record<string, string>> | undefined
  readonly GrantTokens?: readonly string[] | undefined
  readonly EncryptionAlgorithm?: string | undefined
  readonly DryRun?: boolean | undefined
  readonly Recipient?: unknown
}

/** What cryptographic operations share. Attested recipients are in enclaves, of which nobody here knows. */
export function cipherOptions(input: CipherInput): CipherOptions {
  if (input.Recipient !== undefined)
    throw invalidParameter('recipient', 'Member must not be given: there are no enclaves')
  return {
    context: input.EncryptionContext,
    grantTokens: input.GrantTokens,
    algorithm: input.EncryptionAlgorithm,
    isDryRun: input.DryRun,
  }
}

const SPEC_BYTES = { AES_128: 16, AES_256: 32 } as const

/** How long a data key is to be: said by its kind, or in bytes. */
export function dataKeyLength(input: {
  readonly KeySpec?: keyof typeof SPEC_BYTES | undefined
  readonly NumberOfBytes?: number | undefined
}): number {
  const { KeySpec: spec, NumberOfBytes: bytes } = input
  if ((spec === undefined) === (bytes === undefined))
    throw invalidParameter('keySpec', 'Please specify either number of bytes or key spec.')
  return spec === undefined ? (bytes ?? 0) : SPEC_BYTES[spec]
}
