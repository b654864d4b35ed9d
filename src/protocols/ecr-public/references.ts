import { isRegistryId } from '../../domain/names.ts'
import type { PublicCall } from './operation.ts'

/** The input with the account's id where it names a registry by an alias. Throws `registry-not-found`. */
export async function withRegistryId<Input extends { readonly registryId?: string | undefined }>(
  input: Input,
  { publicRegistries }: PublicCall,
): Promise<Input> {
  const { registryId } = input
  if (registryId === undefined || isRegistryId(registryId)) return input
  return { ...input, registryId: (await publicRegistries.registryOf(registryId)).registryId }
}
