import type { Image } from '../image.ts'
import { MEDIA_TYPE } from '../manifest.ts'
import { isContainerConfig } from '../signing/container-image.ts'

/** Whether an image looks like one with a file system, by its record alone: its layers may say otherwise. */
export function isScannable({ mediaType, artifactMediaType, artifactType, subject }: Image): boolean {
  if (mediaType === MEDIA_TYPE.ociIndex || mediaType === MEDIA_TYPE.dockerManifestList) return false
  return subject === undefined && artifactType === artifactMediaType && isContainerConfig(artifactMediaType ?? '')
}
