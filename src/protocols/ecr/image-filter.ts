import type { TagStatus } from '../../domain/image.ts'

/** The `filter` of ListImages and DescribeImages. */
export interface ImageFilter {
  readonly tagStatus?: TagStatus | undefined
  readonly imageStatus?: string | undefined
}

/** Whether the filter shows active images, which all images are: none is ever archived here. */
export function showsActive({ imageStatus = 'ACTIVE' }: ImageFilter): boolean {
  return imageStatus === 'ACTIVE' || imageStatus === 'ANY'
}

export function showsTagged({ tagStatus = 'ANY' }: ImageFilter, isTagged: boolean): boolean {
  return tagStatus === 'ANY' || (tagStatus === 'TAGGED') === isTagged
}
