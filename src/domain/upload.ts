import { PLAIN, tryParseVault, type Vault } from './vault.ts'

/** A layer upload that has begun and is neither complete nor cancelled. */
export interface Upload {
  /** The UUID that clients see. */
  readonly id: string
  readonly repositoryId: number
  /** What the blob store calls the staged bytes. */
  readonly key: string
  readonly startedAt: Date
  /** Moves with every part, so that only abandoned uploads expire. */
  readonly touchedAt: Date
  /** The size of the newest part that came by UploadLayerPart or PATCH; absent before the first. */
  readonly lastPartBytes?: number | undefined
  /** How many such parts came; absent before the first. */
  readonly partCount?: number | undefined
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** What the blob store calls an upload that will be a blob of that vault: the vault is told by the key for good. */
export function uploadKeyFor(uuid: string, vault: Vault): string {
  return vault === PLAIN ? uuid : `${uuid}.${vault}`
}

/** The vault that a key names, or `undefined` when it is no key that a store has made. */
export function vaultOfUpload(key: string): Vault | undefined {
  const dot = key.indexOf('.')
  const uuid = dot < 0 ? key : key.slice(0, dot)
  if (!UUID.test(uuid)) return undefined
  return dot < 0 ? PLAIN : tryParseVault(key.slice(dot + 1)) || undefined
}
