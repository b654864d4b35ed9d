import type { Manifest } from '../manifest.ts'

const CONTAINER_CONFIG = /^application\/vnd\.(oci\.image\.config\.v1|docker\.container\.image\.v1)\+json$/

/** What an image's file system is made of. Signatures, attestations and SBOMs have layers of other types, whatever their config. */
const FILE_SYSTEM_LAYER = /^application\/vnd\.(oci\.image\.layer|docker\.image\.rootfs)\./

/** The tags under which clients keep what belongs to an image where a registry knows no referrers. */
const COMPANION_TAG = /^sha256-[0-9a-f]{64}(\.|$)/

/** Whether a config of that media type is a container image's. */
export function isContainerConfig(mediaType: string): boolean {
  return CONTAINER_CONFIG.test(mediaType)
}

/** Whether a layer of that media type is one of a file system. */
export function isFileSystemLayer(mediaType: string): boolean {
  return FILE_SYSTEM_LAYER.test(mediaType)
}

/** Whether a push under these tags brings a container image, or an index of some, and nothing that only refers to one. */
export function isContainerImage(manifest: Manifest, tags: readonly string[]): boolean {
  const { kind, config, layers, subject, artifactType } = manifest
  if (subject !== undefined || artifactType !== undefined || tags.some((tag) => COMPANION_TAG.test(tag))) return false
  if (kind === 'index') return true
  if (config === undefined || !isContainerConfig(config.mediaType)) return false
  return layers.length === 0 || layers.some(({ mediaType }) => isFileSystemLayer(mediaType))
}
