import type { Generated } from 'kysely'

/** A package by its canonical ecosystem and name, once for all images. */
export interface PackagesTable {
  id: Generated<number>
  ecosystem: string
  name: string
}

/** Which images hold it. */
export interface ImagePackagesTable {
  package_id: number
  image_id: number
}

/** Up to which revision of the advisories something has been done. */
export interface AdvisoryCursorsTable {
  name: string
  revision: number
}

/** Rules that set findings aside, by registry. */
export interface FindingSuppressionsTable {
  account_id: string
  region: string
  id: string
  vulnerability: string
  repository_name: string | null
  package_name: string | null
  reason: string
  created_by: string
  created_at: number
  expires_at: number | null
}
