/** The kinds of requests that are told apart, by where they go. */
export type RequestRoute =
  | 'manifests'
  | 'blobs'
  | 'uploads'
  | 'tags'
  | 'referrers'
  | 'v2'
  | 'layers'
  | 'api'
  | 'operator'
  | 'other'
