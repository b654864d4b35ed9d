import type { Image, ImageStatus } from './image.ts'

/** The status of an image at `now`: a restoration whose time has come has ended, whether or not its record says so yet. */
export function statusAt({ status, activatesAt }: Image, now: Date): ImageStatus {
  return status === 'ACTIVATING' && activatesAt !== undefined && activatesAt <= now ? 'ACTIVE' : status
}

/** Only active images can be pulled. */
export function isActiveAt(image: Image, now: Date): boolean {
  return statusAt(image, now) === 'ACTIVE'
}
