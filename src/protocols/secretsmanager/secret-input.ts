import type { Tag } from '@aws-sdk/client-secrets-manager'
import type { ResourceTag } from '../../domain/repository.ts'
import { secretParameterInvalid } from '../../domain/secrets/errors.ts'
import type { SecretValue } from '../../services/secrets/secret-cipher.ts'
import type { Given } from '../aws/given.ts'

/** The value of an input, if it has one. Throws `secret-parameter-invalid` when it has two. */
export function secretValue(input: {
  readonly SecretString?: string | undefined
  readonly SecretBinary?: Uint8Array | undefined
}): SecretValue | undefined {
  const { SecretString: text, SecretBinary: bytes } = input
  if (text !== undefined && bytes !== undefined)
    throw secretParameterInvalid('You must provide either SecretString or SecretBinary, and not both.')
  if (text !== undefined) return { kind: 'text', text }
  return bytes && { kind: 'bytes', bytes }
}

/** Tags whose members may both be left out. */
export function tagsOf(tags: readonly Given<Tag>[]): readonly ResourceTag[] {
  return tags.map(({ Key = '', Value = '' }) => ({ key: Key, value: Value }))
}
