import type { ImageFilter, TaggedImage } from '../../domain/image.ts'

interface WireFilter {
  readonly tagStatus?: ImageFilter['tagStatus']
  readonly imageStatus?: ImageFilter['status']
}

/** The `filter` of ListImages and DescribeImages: only active images are shown unless it asks for others. */
export function imageFilter({ tagStatus = 'ANY', imageStatus = 'ACTIVE' }: WireFilter = {}): Required<ImageFilter> {
  return { tagStatus, status: imageStatus }
}

/** Whether the filter shows this image. */
export function isShown({ status, tags }: TaggedImage, filter: Required<ImageFilter>): boolean {
  const isOfStatus = filter.status === 'ANY' || filter.status === status
  return isOfStatus && (filter.tagStatus === 'ANY' || (filter.tagStatus === 'TAGGED') === tags.length > 0)
}
