/** The entity tag of what a digest names. */
export function entityTag(digest: string): string {
  return `"${digest}"`
}

/** Whether the client holds this representation already (`If-None-Match`); a bare digest counts as well. */
export function isHeldByClient({ headers }: Request, digest: string): boolean {
  const condition = headers.get('if-none-match')
  if (condition === null) return false
  return condition.split(',').some((entry) => {
    const tag = entry.trim().replace(/^W\//, '')
    return tag === '*' || tag === entityTag(digest) || tag === digest
  })
}

/** Whether the `Range` header counts: with `If-Range`, only when the client's part is of this very representation. */
export function isRangeWanted({ headers }: Request, digest: string): boolean {
  const condition = headers.get('if-range')
  return condition === null || condition.trim() === entityTag(digest)
}
