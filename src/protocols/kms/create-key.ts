import { invalidParameter } from '../../domain/errors.ts'
import { keyUnsupported } from '../../domain/kms/errors.ts'
import { keyOutput } from './key-output.ts'
import { tagsOf } from './key-tags.ts'
import type { KmsInput, KmsOperation } from './operation.ts'

export const createKey: KmsOperation<'CreateKey'> = async (input, call) => {
  refuseOthers(input)
  const described = await call.keys.create(call, {
    description: input.Description,
    policy: input.Policy,
    tags: tagsOf(input.Tags ?? []),
    isLockoutAccepted: input.BypassPolicyLockoutSafetyCheck,
  })
  return { KeyMetadata: keyOutput(described) }
}

/** Only symmetric keys whose material is made here. */
function refuseOthers(input: KmsInput<'CreateKey'>): void {
  const { KeySpec, CustomerMasterKeySpec, KeyUsage, Origin } = input
  if (KeySpec !== undefined && CustomerMasterKeySpec !== undefined && KeySpec !== CustomerMasterKeySpec)
    throw invalidParameter('keySpec', 'KeySpec and CustomerMasterKeySpec must not differ')
  const spec = KeySpec ?? CustomerMasterKeySpec ?? 'SYMMETRIC_DEFAULT'
  if (spec !== 'SYMMETRIC_DEFAULT')
    throw keyUnsupported(`KeySpec ${spec} is not supported: keys are SYMMETRIC_DEFAULT.`)
  if (KeyUsage !== undefined && KeyUsage !== 'ENCRYPT_DECRYPT')
    throw invalidParameter('keyUsage', `KeyUsage ${KeyUsage} is not compatible with KeySpec ${spec}`)
  if (Origin !== undefined && Origin !== 'AWS_KMS') throw keyUnsupported(`Origin ${Origin} is not supported.`)
  if (input.MultiRegion === true) throw keyUnsupported('Multi-Region keys are not supported.')
  if (input.CustomKeyStoreId !== undefined || input.XksKeyId !== undefined)
    throw keyUnsupported('Custom key stores are not supported.')
}
