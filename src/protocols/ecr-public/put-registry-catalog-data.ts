import type { PublicOperation } from './operation.ts'

interface Input {
  readonly displayName?: string | undefined
}

/** Without a name nothing changes, and what holds is answered. */
export const putRegistryCatalogData: PublicOperation<Input, object> = async ({ displayName }, call) => {
  const { principal, publicRegistries } = call
  return { registryCatalogData: { displayName: await publicRegistries.putDisplayName(principal, displayName) } }
}
