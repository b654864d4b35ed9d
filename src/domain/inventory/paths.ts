/**
 * A path of an archive in its plain form: no leading slash, no empty, `.` or `..` segments. `undefined` when it leads
 * out of the root.
 */
export function plainPath(path: string): string | undefined {
  if (!/(^|\/)(\.{0,2})(\/|$)/.test(path)) return path
  const segments: string[] = []
  for (const segment of path.split('/')) {
    if (segment === '' || segment === '.') continue
    if (segment !== '..') segments.push(segment)
    else if (segments.pop() === undefined) return undefined
  }
  return segments.join('/')
}

export function baseName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1)
}

/** Without the last segment; the empty text for a path of one segment. */
export function directoryOf(path: string): string {
  return path.slice(0, Math.max(0, path.lastIndexOf('/')))
}
