import { isRegion, isRegistryId, type Registry, sameRegistry } from '../names.ts'
import { arnInvalid, keyIdInvalid } from './errors.ts'

/** A key as a caller names it, before anybody looked whether it exists. */
export type KeyReference =
  | { readonly kind: 'key'; readonly home: Registry; readonly keyId: string }
  | { readonly kind: 'alias'; readonly home: Registry; readonly name: string }

const KEY_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/
const ALIAS_NAME = /^alias\/[a-zA-Z0-9/_-]+$/
const ARN = /^arn:aws[a-z-]*:kms:([^:]*):([^:]*):(.+)$/

/**
 * Reads a key id, a key's ARN, the name of an alias or its ARN. `home` is meant where none is named, and its region is the only
 * one that is served. Throws `key-not-found`, `arn-invalid`.
 */
export function parseKeyReference(text: string, home: Registry): KeyReference {
  if (!text.startsWith('arn:')) return named(text, home) ?? refuse(text)
  const [, region = '', account = '', name = ''] = ARN.exec(text) ?? []
  if (!isRegion(region) || !isRegistryId(account)) throw arnInvalid(text)
  // Each region knows its own keys only.
  if (region !== home.region) throw keyIdInvalid(text)
  const owner = { registryId: account, region }
  const id = name.startsWith('key/') ? name.slice('key/'.length) : name
  const isNamed = name.startsWith('key/') === KEY_ID.test(id)
  return (isNamed ? named(id, sameRegistry(owner, home) ? home : owner) : undefined) ?? refuse(text)
}

export function isAliasName(text: string): boolean {
  return text.length <= 256 && ALIAS_NAME.test(text)
}

function named(text: string, home: Registry): KeyReference | undefined {
  if (KEY_ID.test(text)) return { kind: 'key', home, keyId: text }
  return isAliasName(text) ? { kind: 'alias', home, name: text } : undefined
}

function refuse(text: string): never {
  throw keyIdInvalid(text)
}
