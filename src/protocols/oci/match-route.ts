import { requestMalformed } from '../../domain/errors.ts'

/** The places of the distribution API. */
export type RouteKind = 'base' | 'blob' | 'catalog' | 'manifest' | 'referrers' | 'tags' | 'upload' | 'uploads'

export interface Route {
  readonly kind: RouteKind
  /** The repository's name as it came; empty for `base` and `catalog`. */
  readonly name: string
  /** The last part of the path: a digest, a tag or an upload's id; empty where there is none. */
  readonly operand: string
}

const PREFIX = '/v2/'
const TAGS = '/tags/list'
const UPLOADS = '/blobs/uploads'

/**
 * Finds the place that a path under `/v2` names. Names hold slashes and may hold any of the words, so the path is read
 * from its end. `undefined`: no such place. Throws `request-malformed` when the path is not percent-encoded text.
 */
export function matchRoute(encodedPath: string): Route | undefined {
  const path = encodedPath.includes('%') ? decode(encodedPath) : encodedPath
  if (path === '/v2' || path === PREFIX) return { kind: 'base', name: '', operand: '' }
  if (path === '/v2/_catalog') return { kind: 'catalog', name: '', operand: '' }
  if (path.endsWith(TAGS)) return named('tags', path.slice(0, -TAGS.length), '')
  if (path.endsWith(UPLOADS)) return named('uploads', path.slice(0, -UPLOADS.length), '')
  const lastSlash = path.lastIndexOf('/')
  const operand = path.slice(lastSlash + 1)
  const place = path.slice(0, lastSlash)
  if (place.endsWith(UPLOADS))
    return named(operand === '' ? 'uploads' : 'upload', place.slice(0, -UPLOADS.length), operand)
  const wordSlash = place.lastIndexOf('/')
  const kind = KIND_BY_WORD[place.slice(wordSlash + 1)]
  return kind === undefined || operand === '' ? undefined : named(kind, place.slice(0, wordSlash), operand)
}

const KIND_BY_WORD: Readonly<Record<string, RouteKind | undefined>> = Object.assign(Object.create(null), {
  blobs: 'blob',
  manifests: 'manifest',
  referrers: 'referrers',
} satisfies Record<string, RouteKind>)

function named(kind: RouteKind, start: string, operand: string): Route | undefined {
  return start.length > PREFIX.length ? { kind, name: start.slice(PREFIX.length), operand } : undefined
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    throw requestMalformed('The path is not valid percent-encoded text')
  }
}
