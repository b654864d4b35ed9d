import type { CatalogData } from '../../domain/public-registry.ts'
import type { CatalogDataInput } from '../../services/repositories/public-registries.ts'
import type { PublicCall } from './operation.ts'

/** RepositoryCatalogDataInput. */
export interface WireCatalogInput extends Omit<CatalogData, 'logoId'> {
  readonly logoImageBlob?: Uint8Array | undefined
}

export function catalogInput({ logoImageBlob, ...data }: WireCatalogInput): CatalogDataInput {
  return { ...data, logo: logoImageBlob }
}

/** RepositoryCatalogData: the address of the logo where the input had its bytes. Nothing here is sold in the marketplace. */
export function catalogOutput({ logoId, ...data }: CatalogData, call: PublicCall) {
  const logoUrl = logoId === undefined ? undefined : call.publicAddresses.logoUrl(logoId, call)
  return { ...data, logoUrl, marketplaceCertified: false }
}
