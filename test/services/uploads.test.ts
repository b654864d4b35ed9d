import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { type Digest, parseDigest } from '../../src/domain/digest.ts'
import { GENEROUS_QUOTAS } from '../../src/domain/quotas.ts'
import { randomIds } from '../../src/lib/ids.ts'
import { Uploads } from '../../src/services/images/uploads.ts'
import { admin, chunks, createServices, refTo, type Services, UPLOAD_EXPIRY_MS } from '../support/service-fixture.ts'

const ref = refTo('team/app')
const anySize = { earlierPartBytesMin: 0 }
let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})
afterEach(() => services.close())

const withCode = (code: string) => expect.objectContaining({ code })
const digestOf = (text: string, algorithm = 'sha256') =>
  parseDigest(`${algorithm}:${createHash(algorithm).update(text).digest('hex')}`)
const append = (id: string, firstByte: number, text: string) =>
  services.uploads.append(admin, ref, id, { ...anySize, firstByte }, chunks(text))
const complete = (id: string, digest: Digest) => services.uploads.complete(admin, ref, id, digest, undefined)

async function layerText(digest: Digest): Promise<string> {
  const { read } = await services.layers.open(admin, ref, digest)
  return new Response(await read()).text()
}

describe('an upload', () => {
  test('grows by parts and becomes a layer', async () => {
    const id = await services.uploads.start(admin, ref)
    expect(await append(id, 0, 'hello ')).toBe(6)
    expect(await services.uploads.status(admin, ref, id)).toBe(6)
    expect(await append(id, 6, 'world')).toBe(11)
    const digest = digestOf('hello world')
    expect(await complete(id, digest)).toEqual({ digest, sizeBytes: 11, isNew: true })
    expect(await layerText(digest)).toBe('hello world')
    await expect(services.uploads.status(admin, ref, id)).rejects.toEqual(withCode('upload-not-found'))
  })

  test('of a layer that is there says that it is not new', async () => {
    for (const isNew of [true, false]) {
      const id = await services.uploads.start(admin, ref)
      await append(id, 0, 'same')
      expect((await complete(id, digestOf('same'))).isNew).toBe(isNew)
    }
  })

  test('goes on only where it ends', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello')
    await expect(append(id, 3, 'x')).rejects.toThrow('First byte of the layer part is 3 instead of 5')
    await expect(append(id, 9, 'x')).rejects.toEqual(withCode('upload-range-invalid'))
    expect(await services.uploads.status(admin, ref, id)).toBe(5)
  })

  test('with another digest is refused, and can still be completed', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello')
    await expect(complete(id, digestOf('other'))).rejects.toEqual(withCode('layer-digest-mismatch'))
    await expect(services.layers.stat(admin, ref, digestOf('other'))).rejects.toEqual(withCode('blob-not-found'))
    await complete(id, digestOf('hello'))
  })

  test('may be named by sha512', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello')
    const digest = digestOf('hello', 'sha512')
    await complete(id, digest)
    expect(await layerText(digest)).toBe('hello')
  })

  test('keeps what arrived of a part that broke off, and its hash with it', async () => {
    const id = await services.uploads.start(admin, ref)
    async function* broken() {
      yield* chunks('hello ')
      throw new Error('the line is dead')
    }
    await expect(services.uploads.append(admin, ref, id, anySize, broken())).rejects.toThrow('the line is dead')
    expect(await services.uploads.status(admin, ref, id)).toBe(6)
    await append(id, 6, 'world')
    await complete(id, digestOf('hello world'))
  })

  test('is taken up by another process, which reads what is staged', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello ')
    const { metadata, blobs, vaults, clock, access } = services
    const other = new Uploads({ metadata, blobs, vaults, access, clock, ids: randomIds }, { quotas: GENEROUS_QUOTAS })
    await other.append(admin, ref, id, anySize, chunks('world'))
    await other.complete(admin, ref, id, digestOf('hello world'), undefined)
    expect(await layerText(digestOf('hello world'))).toBe('hello world')
  })

  test('whose part is longer or shorter than promised is refused', async () => {
    const id = await services.uploads.start(admin, ref)
    const place = { ...anySize, lengthBytes: 3 }
    await expect(services.uploads.append(admin, ref, id, place, chunks('four'))).rejects.toEqual(
      withCode('upload-range-invalid'),
    )
    await expect(services.uploads.append(admin, ref, id, place, chunks('ab'))).rejects.toEqual(
      withCode('upload-range-invalid'),
    )
  })

  test('keeps nothing of a part that is known beforehand not to be what was promised', async () => {
    const id = await services.uploads.start(admin, ref)
    const place = { ...anySize, lengthBytes: 5, bodyBytes: 2 }
    await expect(services.uploads.append(admin, ref, id, place, chunks('ab'))).rejects.toThrow(
      'The layer part holds 2 bytes instead of 5',
    )
    expect(await services.uploads.status(admin, ref, id)).toBe(0)
  })

  test('is completed also when many others were begun in between', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello ')
    for (let n = 0; n < 1_100; n++) await services.uploads.start(admin, ref)
    await append(id, 6, 'world')
    await complete(id, digestOf('hello world'))
  })

  test('with a small part before the last is refused where parts have a least size', async () => {
    const id = await services.uploads.start(admin, ref)
    const place = { earlierPartBytesMin: 5 }
    await services.uploads.append(admin, ref, id, place, chunks('tiny'))
    await expect(services.uploads.append(admin, ref, id, place, chunks('more'))).rejects.toThrow(
      'All layer parts except the last part should be at least 5MB',
    )
  })

  test('stops at the quota of a layer', async () => {
    const { metadata, blobs, vaults, clock, access } = services
    const strict = new Uploads(
      { metadata, blobs, vaults, access, clock, ids: randomIds },
      {
        quotas: {
          ...GENEROUS_QUOTAS,
          layerBytes: 4,
        },
      },
    )
    const id = await strict.start(admin, ref)
    await strict.append(admin, ref, id, anySize, chunks('four'))
    await expect(strict.append(admin, ref, id, anySize, chunks('5'))).rejects.toEqual(withCode('limit-exceeded'))
  })

  test('stops at the quota of parts', async () => {
    const { metadata, blobs, vaults, clock, access } = services
    const strict = new Uploads(
      { metadata, blobs, vaults, access, clock, ids: randomIds },
      { quotas: { ...GENEROUS_QUOTAS, layerParts: 2 } },
    )
    const id = await strict.start(admin, ref)
    for (const part of ['a', 'b']) await strict.append(admin, ref, id, anySize, chunks(part))
    await expect(strict.append(admin, ref, id, anySize, chunks('c'))).rejects.toEqual(withCode('limit-exceeded'))
    expect(await strict.status(admin, ref, id)).toBe(2)
  })

  test('that is cancelled is gone', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello')
    await services.uploads.cancel(admin, ref, id)
    await expect(append(id, 5, 'x')).rejects.toEqual(withCode('upload-not-found'))
    expect(await Array.fromAsync(services.blobs.listUploads())).toEqual([])
  })

  test('belongs to its repository', async () => {
    const other = refTo('team/other')
    await services.repositories.create(admin, other)
    const id = await services.uploads.start(admin, ref)
    await expect(services.uploads.status(admin, other, id)).rejects.toEqual(withCode('upload-not-found'))
  })

  test('without parts can be refused', async () => {
    const id = await services.uploads.start(admin, ref)
    const empty = digestOf('')
    await expect(services.uploads.complete(admin, ref, id, empty, undefined, true)).rejects.toEqual(
      withCode('upload-empty'),
    )
    expect((await complete(id, empty)).sizeBytes).toBe(0)
  })

  test('that nobody touches expires', async () => {
    const old = await services.uploads.start(admin, ref)
    services.clock.advance(UPLOAD_EXPIRY_MS)
    const young = await services.uploads.start(admin, ref)
    const before = new Date(services.clock.now().getTime() - 1)
    expect(await services.uploads.expire(before, 10)).toBe(1)
    await expect(services.uploads.status(admin, ref, old)).rejects.toEqual(withCode('upload-not-found'))
    expect(await services.uploads.status(admin, ref, young)).toBe(0)
  })

  test('in a repository that is deleted meanwhile is not found', async () => {
    const id = await services.uploads.start(admin, ref)
    await append(id, 0, 'hello')
    await services.repositories.delete(admin, ref, false)
    await services.repositories.create(admin, ref)
    await expect(complete(id, digestOf('hello'))).rejects.toEqual(withCode('upload-not-found'))
  })

  test('takes its turn from a writer whose client fell silent', async () => {
    const id = await services.uploads.start(admin, ref)
    async function* silent() {
      yield* chunks('hello ')
      await new Promise(() => undefined)
    }
    const dead = services.uploads.append(admin, ref, id, anySize, silent())
    dead.catch(() => undefined)
    expect(await services.uploads.append(admin, ref, id, { ...anySize, firstByte: 6 }, chunks('world'))).toBe(11)
    await expect(dead).rejects.toEqual(withCode('upload-busy'))
    await complete(id, digestOf('hello world'))
  })
})
