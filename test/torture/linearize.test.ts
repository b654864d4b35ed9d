import { expect, test } from 'bun:test'
import { Contents } from './content.ts'
import { isExplained } from './linearize.ts'
import type { Call, Operation } from './operation.ts'
import { ABSENT, type RepositoryState, Specification } from './specification.ts'

const contents = new Contents()
const layer = contents.addBlob('layer', Buffer.from('layer'))
const one = contents.addImage('one', [layer])
const two = contents.addImage('two', [layer])
const specification = new Specification(contents, 1_000)

const holdingBoth: RepositoryState = {
  ...ABSENT,
  exists: true,
  images: new Set([one.digest, two.digest]),
  links: new Map([...one.blobs, ...two.blobs].map((blob) => [blob, 0])),
}

function done(calledAt: number, returnedAt: number, call: Call, outcome: string): Operation {
  return { client: 'c', call, calledAt, returnedAt, outcome }
}

function cutOff(calledAt: number, call: Call): Operation {
  return { client: 'c', call, calledAt, returnedAt: Infinity, outcome: undefined }
}

const put = (image: string): Call => ({ kind: 'put-image', plane: 'oci', image, tag: 'v1' })
const get: Call = { kind: 'get-tag', tag: 'v1' }
const tagIs = (image: string | undefined) => (state: RepositoryState) => state.tags.get('v1') === image

test('two writers at once may win in either order, but not one after the other', () => {
  const together = [done(0, 10, put(one.digest), 'ok'), done(5, 15, put(two.digest), 'ok')]
  expect(isExplained(specification, holdingBoth, together, tagIs(one.digest))).toBe(true)
  expect(isExplained(specification, holdingBoth, together, tagIs(two.digest))).toBe(true)
  const inTurn = [done(0, 10, put(one.digest), 'ok'), done(11, 15, put(two.digest), 'ok')]
  expect(isExplained(specification, holdingBoth, inTurn, tagIs(one.digest))).toBe(false)
})

test('a read that saw the second write forbids that the first one wins', () => {
  const writes = [done(0, 10, put(one.digest), 'ok'), done(0, 20, put(two.digest), 'ok')]
  const history = [...writes, done(30, 31, get, two.digest)]
  expect(isExplained(specification, holdingBoth, history, tagIs(two.digest))).toBe(true)
  expect(isExplained(specification, holdingBoth, history, tagIs(one.digest))).toBe(false)
})

test('what was cut off may have happened or not, what was acknowledged has', () => {
  const cut = [cutOff(0, put(one.digest))]
  expect(isExplained(specification, holdingBoth, cut, tagIs(one.digest))).toBe(true)
  expect(isExplained(specification, holdingBoth, cut, tagIs(undefined))).toBe(true)
  const acknowledged = [done(0, 1, put(one.digest), 'ok')]
  expect(isExplained(specification, holdingBoth, acknowledged, tagIs(undefined))).toBe(false)
})

test('an acknowledged delete stays, also when a push that was cut off began before it', () => {
  const remove: Call = { kind: 'delete-tag', tag: 'v1' }
  const history = [done(0, 1, put(one.digest), 'ok'), done(2, 3, remove, 'ok')]
  expect(isExplained(specification, holdingBoth, history, tagIs(one.digest))).toBe(false)
  const withCutOff = [...history, cutOff(2, put(one.digest))]
  expect(isExplained(specification, holdingBoth, withCutOff, tagIs(one.digest))).toBe(true)
})

test('an index goes into the archive with its children and their referrers, and comes back with them', () => {
  const index = contents.addIndex('index', [one])
  const signature = contents.addImage('signature', [layer], one)
  const start: RepositoryState = {
    ...holdingBoth,
    images: new Set([one, two, index, signature].map(({ digest }) => digest)),
  }
  const archive = done(0, 1, { kind: 'archive', image: index.digest }, 'ok')
  const restore = done(2, 3, { kind: 'restore', image: index.digest }, 'ok')
  const isArchived = (...images: readonly { readonly digest: string }[]) => {
    const digests = images.map(({ digest }) => digest).sort()
    return (state: RepositoryState) => [...state.archived].sort().join() === digests.join()
  }
  expect(isExplained(specification, start, [archive], isArchived(index, one, signature))).toBe(true)
  expect(isExplained(specification, start, [archive], isArchived(index))).toBe(false)
  expect(isExplained(specification, start, [archive, restore], isArchived())).toBe(true)
  const child = (outcome: string) => [done(0, 1, { kind: 'archive', image: one.digest }, outcome)]
  expect(isExplained(specification, start, child('ok'), () => true)).toBe(false)
  expect(isExplained(specification, start, child('storage-class-refused'), isArchived())).toBe(true)
})

test('a layer goes only when no image needs it and its grace period is over', () => {
  const bare: RepositoryState = { ...ABSENT, exists: true, links: new Map(one.blobs.map((blob) => [blob, 0])) }
  const refused = (at: number) => [done(at, at + 1, put(one.digest), 'layers-not-found')]
  expect(isExplained(specification, bare, refused(500), tagIs(undefined))).toBe(false)
  expect(isExplained(specification, bare, refused(1_500), tagIs(undefined))).toBe(true)
  const stat: Call = { kind: 'stat-blob', blob: layer.digest }
  expect(isExplained(specification, holdingBoth, [done(5_000, 5_001, stat, 'blob-not-found')], () => true)).toBe(false)
})
