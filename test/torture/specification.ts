import type { Contents } from './content.ts'
import type { Call, ImageId, Operation, StatusFilter } from './operation.ts'

/** One repository, as far as anybody can tell. */
export interface RepositoryState {
  readonly exists: boolean
  readonly mutability: string
  readonly images: ReadonlySet<string>
  /** Those of the images that cannot be pulled. */
  readonly archived: ReadonlySet<string>
  /** Tag → digest. */
  readonly tags: ReadonlyMap<string, string>
  /** Blob → since when (at the earliest) it waits for an image; collection may take it a grace period later. */
  readonly links: ReadonlyMap<string, number>
  readonly uploads: ReadonlySet<string>
}

export const ABSENT: RepositoryState = {
  exists: false,
  mutability: 'MUTABLE',
  images: new Set(),
  archived: new Set(),
  tags: new Map(),
  links: new Map(),
  uploads: new Set(),
}

/** One way an operation may go in a state. */
export interface Possibility {
  readonly outcome: string
  readonly next: RepositoryState
}

/** What a registry is, one operation after the other: the yardstick that histories are held against. */
export class Specification {
  readonly #contents: Contents
  readonly #graceMs: number

  constructor(contents: Contents, graceMs: number) {
    this.#contents = contents
    this.#graceMs = graceMs
  }

  /** Every answer that the operation may get in this state, with the state after it. */
  possibilities(state: RepositoryState, operation: Operation): readonly Possibility[] {
    const { call } = operation
    if (call.kind === 'create-repository') {
      if (state.exists) return same(state, 'repository-exists')
      return to({ ...ABSENT, exists: true, mutability: call.mutability }, 'ok')
    }
    if (!state.exists) return same(state, 'repository-not-found')
    return this.#within(state, operation, call)
  }

  /** Whether an image needs the blob. */
  isNeeded(state: RepositoryState, blob: string): boolean {
    for (const image of state.images) if (this.#contents.manifest(image).blobs.includes(blob)) return true
    return false
  }

  /** Whether collection may have taken the blob out of the repository by then. */
  isCollectable(state: RepositoryState, blob: string, by: number): boolean {
    const since = state.links.get(blob)
    return since === undefined || (by - since >= this.#graceMs && !this.isNeeded(state, blob))
  }

  #within(state: RepositoryState, operation: Operation, call: Exclude<Call, { kind: 'create-repository' }>) {
    switch (call.kind) {
      case 'delete-repository':
        return call.isForced || state.images.size === 0 ? to(ABSENT, 'ok') : same(state, 'repository-not-empty')
      case 'put-mutability':
        return to({ ...state, mutability: call.mutability }, 'ok')
      case 'start-upload':
        return to(withUpload(state, operation), 'ok')
      case 'append':
        if (!state.uploads.has(call.upload)) return same(state, 'upload-not-found')
        // What a broken connection had sent may still arrive after the client asked how far it came.
        return [...same(state, 'ok'), ...(call.isResumed ? same(state, 'upload-range-invalid') : [])]
      case 'cancel':
        if (!state.uploads.has(call.upload)) return same(state, 'upload-not-found')
        return to({ ...state, uploads: without(state.uploads, call.upload) }, 'ok')
      case 'complete':
        return this.#complete(state, operation, call)
      case 'mount':
        return [
          { outcome: 'ok', next: linked(state, call.blob, operation.calledAt) },
          ...(call.isSourceSure ? [] : [{ outcome: 'refused', next: withUpload(state, operation) }]),
        ]
      case 'stat-blob':
        // Who hears that a blob is there does not upload it, so its grace period starts anew.
        return this.#present(state, operation, call.blob, {
          outcome: 'ok',
          next: linked(state, call.blob, operation.calledAt),
        })
      case 'delete-blob':
        if (this.isNeeded(state, call.blob)) return same(state, 'unsupported')
        return this.#present(state, operation, call.blob, { outcome: 'ok', next: unlinked(state, call.blob) })
      case 'put-image':
        return this.#putImage(state, operation, call)
      case 'delete-tag':
        if (!state.tags.has(call.tag)) return same(state, 'image-not-found')
        return to({ ...state, tags: withoutKeys(state.tags, [call.tag]) }, 'ok')
      case 'delete-image':
        if (!state.images.has(call.image)) return same(state, 'image-not-found')
        if (this.#parents(state, call.image).length > 0) return same(state, 'image-referenced')
        return to(this.#withoutImage(state, call.image, operation.calledAt), 'ok')
      case 'batch-delete':
        return this.#batchDelete(state, call.ids, operation.calledAt)
      case 'get-tag':
        return same(state, shown(state, 'ACTIVE').tags.get(call.tag) ?? 'image-not-found')
      case 'get-image':
        return same(state, shown(state, 'ACTIVE').images.has(call.image) ? 'ok' : 'image-not-found')
      case 'archive':
        if (!state.images.has(call.image)) return same(state, 'image-not-found')
        if (state.archived.has(call.image) || this.#livingParents(state, call.image).length > 0)
          return same(state, 'storage-class-refused')
        return to(this.#withArchived(state, call.image), 'ok')
      case 'restore':
        if (!state.images.has(call.image)) return same(state, 'image-not-found')
        if (!state.archived.has(call.image)) return same(state, 'storage-class-refused')
        return to(this.#withRestored(state, call.image), 'ok')
      case 'list-images':
        return same(state, describeImages(shown(state, call.status)))
      case 'list-referrers':
        return same(state, this.#referrers(state, call.subject))
    }
  }

  #complete(state: RepositoryState, { calledAt, returnedAt }: Operation, call: Extract<Call, { kind: 'complete' }>) {
    if (!state.uploads.has(call.upload)) return same(state, 'upload-not-found')
    const next = linked({ ...state, uploads: without(state.uploads, call.upload) }, call.blob, calledAt)
    if (call.plane === 'oci') return to(next, 'ok')
    const possible: Possibility[] = []
    if (state.links.has(call.blob)) possible.push({ outcome: 'layer-exists', next })
    if (this.isCollectable(state, call.blob, returnedAt)) possible.push({ outcome: 'ok', next })
    return possible
  }

  /** The blob is there, unless collection has taken it. */
  #present(state: RepositoryState, { returnedAt }: Operation, blob: string, found: Possibility) {
    const possible: Possibility[] = []
    if (state.links.has(blob)) possible.push(found)
    if (this.isCollectable(state, blob, returnedAt))
      possible.push({ outcome: 'blob-not-found', next: unlinked(state, blob) })
    return possible
  }

  #putImage(state: RepositoryState, { returnedAt }: Operation, call: Extract<Call, { kind: 'put-image' }>) {
    const { blobs, children } = this.#contents.manifest(call.image)
    const { image, tag } = call
    const isKnown = state.images.has(image)
    const possible: Possibility[] = []
    if (!isKnown) {
      if (blobs.some((blob) => this.isCollectable(state, blob, returnedAt)))
        possible.push({ outcome: 'layers-not-found', next: state })
      if (blobs.some((blob) => !state.links.has(blob))) return possible
      if (children.some((child) => !state.images.has(child)))
        return [...possible, { outcome: 'referenced-images-not-found', next: state }]
    }
    const current = tag === undefined ? undefined : state.tags.get(tag)
    const isArchived = state.archived.has(image)
    const isRestoration = isArchived && current === image
    if (current !== undefined && state.mutability === 'IMMUTABLE' && !isRestoration)
      return [...possible, { outcome: 'tag-immutable', next: state }]
    const isChanged = !isKnown || isArchived || (tag !== undefined && current !== image)
    const living = isArchived || (!isKnown && children.length > 0) ? this.#withRestored(state, image) : state
    const next = {
      ...living,
      images: new Set([...state.images, image]),
      tags: tag === undefined ? state.tags : new Map([...state.tags, [tag, image]]),
    }
    return [...possible, { outcome: call.plane === 'oci' || isChanged ? 'ok' : 'image-exists', next }]
  }

  #batchDelete(state: RepositoryState, ids: readonly ImageId[], at: number): readonly Possibility[] {
    let next = state
    const outcomes: string[] = []
    for (const { digest, tag } of ids) {
      const image = tag === undefined ? digest : next.tags.get(tag)
      if (image === undefined || !next.images.has(image)) outcomes.push('ImageNotFound')
      else if (digest !== undefined && digest !== image) outcomes.push('ImageTagDoesNotMatchDigest')
      else {
        const tags = tagsOf(next, image)
        if (digest === undefined && tag !== undefined && tags.length > 1) {
          next = { ...next, tags: withoutKeys(next.tags, [tag]) }
          outcomes.push(`${tag}=${image}`)
        } else if (this.#parents(next, image).length > 0) outcomes.push('ImageReferencedByManifestList')
        else {
          next = this.#withoutImage(next, image, at)
          outcomes.push(...(tags.length === 0 ? [`=${image}`] : tags.map((each) => `${each}=${image}`)))
        }
      }
    }
    return to(next, describeBatchDelete(outcomes))
  }

  #parents(state: RepositoryState, child: string): readonly string[] {
    return [...state.images].filter((image) => this.#contents.manifest(image).children.includes(child))
  }

  #livingParents(state: RepositoryState, child: string): readonly string[] {
    return this.#parents(state, child).filter((parent) => !state.archived.has(parent))
  }

  /** The image goes, and all that belongs to what goes and that no living index lists. */
  #withArchived(state: RepositoryState, image: string): RepositoryState {
    let next = { ...state, archived: new Set([...state.archived, image]) }
    const members = new Set([image])
    const follower = () =>
      [...shown(next, 'ACTIVE').images].find(
        (each) => this.#belongsTo(each, members) && this.#livingParents(next, each).length === 0,
      )
    for (let each = follower(); each !== undefined; each = follower()) {
      members.add(each)
      next = { ...next, archived: new Set([...next.archived, each]) }
    }
    return next
  }

  /** The image comes back, and all that belongs to what comes back. */
  #withRestored(state: RepositoryState, image: string): RepositoryState {
    const archived = new Set(state.archived)
    archived.delete(image)
    const members = new Set([image])
    const follower = () => [...archived].find((each) => this.#belongsTo(each, members))
    for (let each = follower(); each !== undefined; each = follower()) {
      members.add(each)
      archived.delete(each)
    }
    return { ...state, archived }
  }

  /** Whether one of the members lists the image, or is its subject. */
  #belongsTo(image: string, members: ReadonlySet<string>): boolean {
    const { subject } = this.#contents.manifest(image)
    if (subject !== undefined && members.has(subject)) return true
    return [...members].some((member) => this.#contents.manifest(member).children.includes(image))
  }

  #referrers(state: RepositoryState, subject: string): string {
    return [...shown(state, 'ACTIVE').images]
      .filter((image) => this.#contents.manifest(image).subject === subject)
      .sort()
      .join(' ')
  }

  #withoutImage(state: RepositoryState, image: string, at: number): RepositoryState {
    const next = {
      ...state,
      images: without(state.images, image),
      archived: without(state.archived, image),
      tags: withoutKeys(state.tags, tagsOf(state, image)),
    }
    const links = new Map(state.links)
    for (const blob of this.#contents.manifest(image).blobs) if (!this.isNeeded(next, blob)) links.set(blob, at)
    return { ...next, links }
  }
}

/** The images of that status, and their tags. */
export function shown(
  { images, archived, tags }: RepositoryState,
  status: StatusFilter,
): Pick<RepositoryState, 'images' | 'tags'> {
  const isShown = (image: string) => status === 'ANY' || archived.has(image) === (status === 'ARCHIVED')
  return {
    images: new Set([...images].filter(isShown)),
    tags: new Map([...tags].filter(([, image]) => isShown(image))),
  }
}

/** Images and tags in one line, the same for the same content. */
export function describeImages({ images, tags }: Pick<RepositoryState, 'images' | 'tags'>): string {
  const tagged = new Set(tags.values())
  const untagged = [...images].filter((image) => !tagged.has(image)).map((image) => `=${image}`)
  return [...[...tags].map(([tag, image]) => `${tag}=${image}`), ...untagged].sort().join(' ')
}

/** The answer of BatchDeleteImage in one line: what is gone and what failed, in any order. */
export function describeBatchDelete(outcomes: readonly string[]): string {
  return `deleted ${[...outcomes].sort().join(' ')}`
}

function same(state: RepositoryState, outcome: string): readonly Possibility[] {
  return [{ outcome, next: state }]
}

function to(next: RepositoryState, outcome: string): readonly Possibility[] {
  return [{ outcome, next }]
}

function withUpload(state: RepositoryState, { upload }: Operation): RepositoryState {
  return upload === undefined ? state : { ...state, uploads: new Set([...state.uploads, upload]) }
}

function linked(state: RepositoryState, blob: string, at: number): RepositoryState {
  return { ...state, links: new Map([...state.links, [blob, at]]) }
}

function unlinked(state: RepositoryState, blob: string): RepositoryState {
  return { ...state, links: withoutKeys(state.links, [blob]) }
}

function without<T>(set: ReadonlySet<T>, member: T): ReadonlySet<T> {
  return new Set([...set].filter((each) => each !== member))
}

function withoutKeys<V>(map: ReadonlyMap<string, V>, keys: readonly string[]): ReadonlyMap<string, V> {
  return new Map([...map].filter(([key]) => !keys.includes(key)))
}

function tagsOf(state: RepositoryState, image: string): readonly string[] {
  return [...state.tags].filter(([, digest]) => digest === image).map(([tag]) => tag)
}
