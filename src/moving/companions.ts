import type { Digest } from '../domain/digest.ts'

/** How cosign calls what belongs to an image: by a tag that is made of its digest. */
const COMPANION = /^sha256-[0-9a-f]{64}\.(att|sbom|sig)$/
const ENDS = ['att', 'sbom', 'sig']

/** Whether a tag only stands for what belongs to another manifest. */
export function isCompanionTag(tag: string): boolean {
  return COMPANION.test(tag)
}

/** The tags under which there may be something that belongs to a manifest. */
export function companionTags(digest: Digest): readonly string[] {
  return ENDS.map((end) => `${digest.replace(':', '-')}.${end}`)
}
