import type { Registry } from '../domain/names.ts'

/** From which registries images came by replication. An image that somebody pushed here, too, has no origin: it is this registry's own. */
export interface ImageOriginReader {
  list(imageId: number): Promise<readonly Registry[]>
}

/** Origins go with their image. */
export interface ImageOriginWriter extends ImageOriginReader {
  /** Twice is harmless. */
  add(imageId: number, origin: Registry): Promise<void>
  /** Absent is fine. */
  remove(imageId: number, origin: Registry): Promise<void>
  /** The image is this registry's own from now on. */
  clear(imageId: number): Promise<void>
}
