import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { sha256 } from '../support/image-builder.ts'
import { type RunningRegistry, startRegistry } from '../support/start-registry.ts'
import { Contents, type ManifestContent } from '../torture/content.ts'
import { explain } from '../torture/explain.ts'
import { Inspection } from '../torture/inspection.ts'
import { isExplained } from '../torture/linearize.ts'
import { Recorder } from '../torture/operation.ts'
import { RepositoryClient } from '../torture/repository-client.ts'
import { ABSENT, describeImages, type RepositoryState, Specification, shown } from '../torture/specification.ts'
import { Wire } from '../torture/wire.ts'

const WRITERS = 64
const ROUNDS = 12
const TIMEOUT_MS = 120_000

/** Short, so that collection and pushes really meet. */
const GRACE_MS = 150

let registry: RunningRegistry
let wire: Wire
let contents: Contents
let recorder: Recorder

beforeAll(async () => {
  registry = await startRegistry({
    env: {
      ECRU_ACTIVATION_TIME: '0',
      ECRU_GC_INTERVAL: '0',
      ECRU_GC_GRACE: `${GRACE_MS}ms`,
      ECRU_LOG_LEVEL: 'warn',
      ECRU_LOG_FORMAT: 'pretty',
    },
  })
  wire = new Wire(registry.port)
  await wire.logIn()
  contents = new Contents()
  recorder = new Recorder()
})

afterAll(async () => {
  const said = await registry.log()
  await registry.stop()
  expect(said).not.toMatch(/ (ERROR|FATAL) /)
})

describe('64 writers on one tag', () => {
  const modes = [
    { name: 'MUTABLE', isImmutable: false },
    { name: 'IMMUTABLE', isImmutable: true },
    { name: 'MUTABLE_WITH_EXCLUSION', filters: ['race*'], isImmutable: true },
    { name: 'MUTABLE_WITH_EXCLUSION', filters: ['other'], isImmutable: false },
    { name: 'IMMUTABLE_WITH_EXCLUSION', filters: ['r*e'], isImmutable: false },
    { name: 'IMMUTABLE_WITH_EXCLUSION', filters: ['other'], isImmutable: true },
  ]
  for (const [n, { name, filters, isImmutable }] of modes.entries()) {
    test(
      `${name}${filters ? ` ${filters}` : ''}: ${isImmutable ? 'exactly one wins' : 'all win, the tag is one of theirs'}`,
      async () => {
        const repository = client(`races/tag-${n}`)
        const { error } = await wire.ecr('CreateRepository', {
          repositoryName: repository.name,
          imageTagMutability: name,
          ...(filters && {
            imageTagMutabilityExclusionFilters: filters.map((filter) => ({ filterType: 'WILDCARD', filter })),
          }),
        })
        expect(error).toBeUndefined()
        const images = Array.from({ length: WRITERS }, (_, writer) => image(`tag-${n}-${writer}`))
        for (const each of images) await pushBlobs(repository, each)
        const outcomes = await Promise.all(
          images.map(({ digest }, writer) => repository.putImage(writer % 3 === 0 ? 'ecr' : 'oci', digest, 'race')),
        )
        const winners = images.filter((_, writer) => outcomes[writer] === 'ok').map(({ digest }) => digest)
        const losers = outcomes.filter((outcome) => outcome !== 'ok')
        expect(winners).toHaveLength(isImmutable ? 1 : WRITERS)
        expect(losers).toEqual(losers.map(() => 'tag-immutable'))
        expect(winners).toContain(await repository.getTag('race'))
        // A loser leaves nothing behind, not even an untagged image.
        const { images: held } = await found(repository.name)
        expect([...held].sort()).toEqual([...winners].sort())
      },
      TIMEOUT_MS,
    )
  }

  test(
    'some order explains every answer',
    async () => {
      const images = Array.from({ length: 8 }, (_, n) => image(`order-${n}`))
      await explained('races/order', images, async (name) => {
        await client(name).create('MUTABLE')
        for (const each of images) await pushBlobs(client(name), each)
        await atOnce(8, async (writer) => {
          const repository = client(name, `writer-${writer}`)
          const { digest } = images[writer] ?? image('never')
          await repository.putImage(writer % 2 === 0 ? 'ecr' : 'oci', digest, 'race')
          await repository.getTag('race')
          if (writer % 4 === 0) await repository.batchDelete([{ tag: 'race' }])
          if (writer % 4 === 1) await repository.deleteTag('race')
          if (writer === 2) await repository.putMutability('IMMUTABLE')
          await repository.putImage('oci', digest, 'race')
          await repository.listImages('ANY')
        })
      })
    },
    TIMEOUT_MS,
  )
})

test(
  'an index archived, restored, pushed and deleted at once: some order explains every answer',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const child = image(`archive-child-${round}`)
      const index = contents.addIndex(`archive-index-${round}`, [child])
      const layers = child.blobs.slice(1).map((blob) => contents.blob(blob))
      const signature = contents.addImage(`archive-signature-${round}`, layers, child)
      const digests = [child, index, signature].map(({ digest }) => digest)
      await explained(`races/archive-${round}`, [child, signature], async (name) => {
        await client(name).create('MUTABLE')
        for (const each of [child, signature]) await pushBlobs(client(name), each)
        for (const digest of digests)
          await client(name).putImage('oci', digest, digest === index.digest ? 'race' : undefined)
        await atOnce(6, async (writer) => {
          const repository = client(name, `writer-${writer}`)
          const mine = digests[writer % 3] ?? index.digest
          await repository.archive(mine)
          await repository.getTag('race')
          if (writer === 1) await repository.putImage('ecr', index.digest, 'race')
          if (writer === 2) await repository.deleteImage(mine)
          await repository.listReferrers(child.digest)
          await repository.restore(mine)
          await repository.listImages(writer < 3 ? 'ACTIVE' : 'ARCHIVED')
        })
      })
    }
  },
  TIMEOUT_MS,
)

test(
  'a mount and the end of its source: it succeeds whole, or is an upload instead',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const source = client(`races/mount-source-${round}`)
      const target = client(`races/mount-target-${round}`)
      const mounted = image(`mounted-${round}`)
      await source.create('MUTABLE')
      await target.create('MUTABLE')
      await pushBlobs(source, mounted)
      await source.putImage('oci', mounted.digest, 'latest')
      const end = [
        () => source.delete(true),
        () => source.deleteImage(mounted.digest),
        () => source.batchDelete([{ tag: 'latest' }]),
      ][round % 3]
      const [locations] = await Promise.all([
        Promise.all(mounted.blobs.map((blob) => target.mount(blob, source.name, false))),
        end?.(),
        wire.own('POST', 'gc'),
      ])
      for (const [at, location] of locations.entries()) {
        const blob = mounted.blobs[at] ?? ''
        if (location !== undefined) await target.complete(location, blob, contents.blob(blob).bytes)
      }
      expect(await target.putImage('oci', mounted.digest, 'latest')).toBe('ok')
      await Bun.sleep(GRACE_MS)
      await wire.own('POST', 'gc')
      await whole(target.name)
    }
  },
  TIMEOUT_MS,
)

test(
  'collection against pushes of the very blobs that it takes',
  async () => {
    const images = Array.from({ length: 6 }, (_, n) => image(`collected-${n}`, 'collected'))
    await explained('races/collected', images, async (name) => {
      await client(name).create('MUTABLE')
      const collecting = { isOver: false }
      const collector = async () => {
        while (!collecting.isOver) expect((await wire.own('POST', 'gc')).status).toBe(200)
      }
      const collected = collector()
      await atOnce(4, async (writer) => {
        const repository = client(name, `writer-${writer}`)
        for (let round = 0; round < ROUNDS; round++) {
          const { digest, blobs } = images[(writer + round) % images.length] ?? image('never')
          for (const blob of blobs) {
            const location = await repository.startUpload('oci')
            if (location !== undefined) await repository.complete(location, blob, contents.blob(blob).bytes)
          }
          await repository.putImage('oci', digest, `t${writer}`)
          await repository.batchDelete([{ digest }])
          if (round % 3 === 0) await Bun.sleep(GRACE_MS * 1.5)
        }
      })
      collecting.isOver = true
      await collected
    })
  },
  TIMEOUT_MS,
)

test(
  'a sweep of many blobs, all of which are pushed again meanwhile',
  async () => {
    const repository = client('races/swept')
    await repository.create('MUTABLE')
    const layers = Array.from({ length: 60 }, (_, n) =>
      contents.addBlob(`swept.${n}`, Buffer.from(`swept ${n} `.repeat(40))),
    )
    const swept = contents.addImage('swept', layers)
    await pushBlobs(repository, swept)
    for (let round = 0; round < ROUNDS; round++) {
      expect(await repository.putImage('oci', swept.digest, 'latest')).toBe('ok')
      await repository.batchDelete([{ digest: swept.digest }])
      await Bun.sleep(GRACE_MS + 10)
      const queue = swept.blobs.values()
      const push = async () => {
        for (const blob of queue) {
          const location = (await repository.startUpload('oci')) ?? ''
          expect(await repository.complete(location, blob, contents.blob(blob).bytes)).toBe('ok')
        }
      }
      const collected = wire.own('POST', 'gc')
      await Bun.sleep(round * 4)
      await Promise.all([push(), push(), push()])
      expect((await collected).status).toBe(200)
      // The first of them may be older than the grace period by now, so all are asked for, which keeps them.
      for (const blob of swept.blobs) {
        if ((await repository.statBlob(blob)) !== 'ok') await pushBlobs(repository, { ...swept, blobs: [blob] })
        await repository.pullBlob('oci', blob)
      }
      expect(await repository.putImage('oci', swept.digest, 'latest')).toBe('ok')
      await whole(repository.name)
    }
  },
  TIMEOUT_MS,
)

test(
  'two clients on one upload: what is committed is what the digest says',
  async () => {
    const repository = client('races/upload')
    await repository.create('MUTABLE')
    for (let round = 0; round < ROUNDS; round++) {
      const one = contents.addBlob(`one-${round}`, Buffer.alloc(40_000, round * 2 + 1))
      const two = contents.addBlob(`two-${round}`, Buffer.alloc(40_000, round * 2 + 2))
      const location = (await repository.startUpload('oci')) ?? ''
      const parts = [one, two].flatMap(({ bytes }) => [
        { bytes: bytes.subarray(0, 20_000), first: 0 },
        { bytes: bytes.subarray(20_000), first: 20_000 },
      ])
      const patched = await Promise.all(
        parts.map(({ bytes, first }) =>
          wire.at('PATCH', location, {
            headers: { 'content-range': `${first}-${first + bytes.length - 1}` },
            body: bytes,
          }),
        ),
      )
      for (const { status } of patched) expect([202, 416]).toContain(status)
      const accepted = patched.filter(({ status }) => status === 202).length
      expect(accepted).toBeGreaterThanOrEqual(1)
      expect(accepted).toBeLessThanOrEqual(2)
      const status = await wire.at('GET', location)
      expect(status.headers.get('range')).toBe(`0-${accepted * 20_000 - 1}`)

      // Both finish it, each with its own idea of the content; a third with what may really be there.
      const digests = [one, two].map(({ digest }) => digest)
      const puts = await Promise.all(digests.map((digest) => wire.at('PUT', `${location}?digest=${digest}`)))
      const completed = puts.filter((put) => put.status === 201)
      for (const put of puts) expect([201, 400, 404]).toContain(put.status)
      expect(completed.length).toBeLessThanOrEqual(1)
      for (const digest of digests) {
        const pulled = await wire.oci('GET', `${repository.name}/blobs/${digest}`)
        if (pulled.status === 200) expect(sha256(pulled.bytes)).toBe(digest)
      }
      if (completed.length === 0) expect((await wire.at('DELETE', location)).status).toBe(204)
      else expect((await wire.at('GET', location)).status).toBe(404)
    }
  },
  TIMEOUT_MS,
)

test(
  'two clients finish the same upload with the right digest: both hear the truth',
  async () => {
    const repository = client('races/finish')
    await repository.create('MUTABLE')
    for (let round = 0; round < ROUNDS; round++) {
      const blob = contents.addBlob(`finished-${round}`, Buffer.alloc(30_000, round + 1))
      const location = (await repository.startUpload('oci')) ?? ''
      await repository.append(location, blob.bytes, 'streamed', 0)
      const puts = await Promise.all([0, 1, 2].map(() => wire.at('PUT', `${location}?digest=${blob.digest}`)))
      const statuses = puts.map(({ status }) => status).sort()
      expect(statuses).toEqual([201, 404, 404])
      await repository.pullBlob('oci', blob.digest)
      expect(await repository.statBlob(blob.digest)).toBe('ok')
    }
  },
  TIMEOUT_MS,
)

test(
  'one of many creates the repository',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const repository = client(`races/created-${round}`)
      const outcomes = await Promise.all(Array.from({ length: 32 }, () => repository.create('MUTABLE')))
      expect(outcomes.filter((outcome) => outcome === 'ok')).toHaveLength(1)
      expect(outcomes.filter((outcome) => outcome === 'repository-exists')).toHaveLength(31)
    }
  },
  TIMEOUT_MS,
)

test(
  'an index, its children, and deletes of all of them at once',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `races/index-${round}`
      const children = [image(`child-${round}-0`), image(`child-${round}-1`)]
      const index = contents.addIndex(`index-${round}`, children)
      await explained(name, [...children, index], async () => {
        await client(name).create('MUTABLE')
        for (const child of children) {
          await pushBlobs(client(name), child)
          await client(name).putImage('oci', child.digest, undefined)
        }
        await Promise.all([
          client(name, 'pusher').putImage('oci', index.digest, 'multi'),
          ...children.map(({ digest }, n) => client(name, `deleter-${n}`).batchDelete([{ digest }])),
          client(name, 'index-first').batchDelete([index, ...children].map(({ digest }) => ({ digest }))),
          client(name, 'oci').deleteImage(children[0]?.digest ?? ''),
        ])
      })
    }
  },
  TIMEOUT_MS,
)

test(
  'a repository deleted by force while others push into it',
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `races/forced-${round}`
      const images = [0, 1, 2, 3].map((n) => image(`forced-${round}-${n}`, 'forced'))
      await explained(name, images, async () => {
        await client(name).create('MUTABLE')
        await Promise.all([
          ...images.map(async (each, n) => {
            const repository = client(name, `pusher-${n}`)
            await pushBlobs(repository, each)
            await repository.putImage(n % 2 === 0 ? 'oci' : 'ecr', each.digest, `t${n % 2}`)
            await repository.getTag(`t${n % 2}`)
          }),
          (async () => {
            const deleter = client(name, 'deleter')
            await Bun.sleep(round)
            await deleter.delete(false)
            await deleter.delete(true)
            if (round % 2 === 0) await deleter.create('MUTABLE')
            await wire.own('POST', 'gc')
          })(),
        ])
      })
    }
  },
  TIMEOUT_MS,
)

function client(name: string, by = 'one'): RepositoryClient {
  return new RepositoryClient(name, by, wire, recorder, contents)
}

/** An image with a layer of its own, and one that it shares with the others of the same group. */
function image(name: string, group = name): ManifestContent {
  const layers = [contents.addBlob(`${name}.layer`, Buffer.from(name.repeat(50)))]
  if (group !== name) layers.push(contents.addBlob(`${group}.shared`, Buffer.from(group.repeat(500))))
  return contents.addImage(name, layers)
}

async function pushBlobs(repository: RepositoryClient, { blobs }: ManifestContent): Promise<void> {
  for (const blob of blobs) {
    const location = await repository.startUpload('oci')
    if (location !== undefined) await repository.complete(location, blob, contents.blob(blob).bytes)
  }
}

async function atOnce(count: number, work: (n: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: count }, (_, n) => work(n)))
}

/** Runs the race and asks whether some order of its calls gives all answers and what is found afterwards, which must be whole. */
async function explained(
  name: string,
  images: readonly ManifestContent[],
  race: (name: string) => Promise<void>,
): Promise<void> {
  recorder = new Recorder()
  await race(name)
  const history = recorder.history(name)
  const observed = await found(name, new Set(images.flatMap(({ blobs }) => blobs)))
  const specification = new Specification(contents, GRACE_MS)
  const isEnd = (state: RepositoryState) =>
    state.exists === observed.exists &&
    (['ACTIVE', 'ARCHIVED'] as const).every(
      (status) => describeImages(shown(state, status)) === describeImages(shown(observed, status)),
    )
  isExplained(specification, ABSENT, history, isEnd, (furthest) => {
    throw new Error(`no order explains ${name}\n${explain(contents, ABSENT, history, observed, furthest)}`)
  })
}

async function found(name: string, blobs: ReadonlySet<string> = new Set()): Promise<RepositoryState> {
  const inspection = new Inspection(wire, contents)
  const mutability = (await inspection.repositories()).get(name)
  return mutability === undefined ? ABSENT : inspection.repository(name, mutability, blobs, true)
}

async function whole(name: string): Promise<void> {
  expect((await found(name)).exists).toBe(true)
}
