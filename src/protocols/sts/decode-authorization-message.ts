import type { StsOperation } from './operation.ts'

export const decodeAuthorizationMessage: StsOperation<'DecodeAuthorizationMessage'> = async (
  input,
  { principal, authorizationMessages },
) => ({ DecodedMessage: await authorizationMessages.decode(principal, input.EncodedMessage ?? '') })
