import type { Manifest } from '../manifest.ts'
import { isFileSystemLayer } from '../signing/container-image.ts'

/** OCI's config of what needs none: `{}`. */
const EMPTY_CONFIG = 'sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'

/**
 * Whether a manifest is of something that could be run, which is what rules of admission are about. Not those of indexes:
 * each image that one lists is judged by itself. Not those of signatures, attestations, SBOMs and charts: they have no
 * file system, or the empty configuration, with which nothing starts. A subject, an artifact type or a tag does not make
 * an image anything else: clients run it all the same.
 */
export function isRunnable({ kind, config, layers }: Manifest): boolean {
  if (kind === 'index' || config?.digest === EMPTY_CONFIG) return false
  return layers.some(({ mediaType }) => isFileSystemLayer(mediaType))
}
