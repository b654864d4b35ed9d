import type { EcrOperation } from './operation.ts'
import { placeOf, repositoryRef } from './references.ts'

export const putImageScanningConfiguration: EcrOperation<'PutImageScanningConfiguration'> = async (input, call) => {
  const ref = repositoryRef(input, call)
  const { scanOnPush = false } = input.imageScanningConfiguration
  await call.repositories.putScanning(call.principal, ref, scanOnPush)
  return { ...placeOf(ref), imageScanningConfiguration: { scanOnPush } }
}
