import type { PublicOperation } from './operation.ts'

export const getRegistryCatalogData: PublicOperation<object, object> = async (_input, call) => ({
  registryCatalogData: { displayName: await call.publicRegistries.getDisplayName(call.principal) },
})
