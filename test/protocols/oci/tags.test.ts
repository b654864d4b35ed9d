import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { pushImage, refTo } from '../../support/service-fixture.ts'
import { createPlane, createRepository, ORIGIN, type Plane, refusalOf } from './plane.ts'

const PATH = '/v2/team/app/tags/list'
const TAGS = ['1.0', '1.1', 'B', 'a', 'latest', 'z_9']

/** The pages of a listing, each reached by the link of the one before. */
async function pagesOf(plane: Plane, path: string): Promise<readonly (readonly string[])[]> {
  const pages: (readonly string[])[] = []
  for (let next: string | undefined = path; next !== undefined; ) {
    const response: Response = await plane.ask('GET', next)
    expect(response.status).toBe(200)
    pages.push(((await response.json()) as { tags: string[] }).tags)
    next = /^<(.+)>; rel="next"$/.exec(response.headers.get('link') ?? '')?.[1]
  }
  return pages
}

let plane: Plane
let ecr: Plane
beforeAll(async () => {
  plane = await createPlane()
  ecr = await createPlane({ fidelity: 'aws' })
  for (const each of [plane, ecr]) {
    await createRepository(each, 'team/app')
    await createRepository(each, 'team/empty')
    await pushImage(each.services, refTo('team/app'), 'tagged', ...TAGS.toReversed())
  }
})
afterAll(async () => {
  await plane.close()
  await ecr.close()
})

describe('as OCI has it', () => {
  test('tags in lexical order, as JSON', async () => {
    const response = await plane.ask('GET', PATH)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.has('link')).toBe(false)
    expect(await response.text()).toBe(`${JSON.stringify({ name: 'team/app', tags: TAGS })}\n`)
  })

  test('n and last choose the page, and a link leads on', async () => {
    const response = await plane.ask('GET', `${PATH}?n=2&last=1.1`)
    expect(await response.json()).toEqual({ name: 'team/app', tags: ['B', 'a'] })
    expect(response.headers.get('link')).toBe(`<${ORIGIN}${PATH}?n=2&last=a>; rel="next"`)
    expect(await pagesOf(plane, `${PATH}?n=4`)).toEqual([TAGS.slice(0, 4), TAGS.slice(4)])
    expect(await pagesOf(plane, `${PATH}?n=3`)).toEqual([TAGS.slice(0, 3), TAGS.slice(3)])
  })

  test('last need not exist', async () => {
    expect(await pagesOf(plane, `${PATH}?last=C`)).toEqual([['a', 'latest', 'z_9']])
    expect(await pagesOf(plane, `${PATH}?last=zzz`)).toEqual([[]])
  })

  test('n=0 is an empty list', async () => {
    const response = await plane.ask('GET', `${PATH}?n=0`)
    expect(await response.json()).toEqual({ name: 'team/app', tags: [] })
    expect(response.headers.has('link')).toBe(false)
  })

  test('more than 1000 are asked for in vain', async () => {
    expect(await pagesOf(plane, `${PATH}?n=100000`)).toEqual([TAGS])
  })

  test('a repository without tags has an empty list', async () => {
    expect(await pagesOf(plane, '/v2/team/empty/tags/list')).toEqual([[]])
  })

  test.each(['n=-1', 'n=x', 'n=1.5', 'n=1e3'])('%s is refused', async (query) => {
    expect((await refusalOf(await plane.ask('GET', `${PATH}?${query}`))).code).toBe('UNSUPPORTED')
  })

  test('a last that can be no tag is refused', async () => {
    expect((await refusalOf(await plane.ask('GET', `${PATH}?last=-`))).code).toBe('TAG_INVALID')
  })
})

describe('as ECR has it', () => {
  test('plain text in name', async () => {
    const response = await ecr.ask('GET', PATH)
    expect(response.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    expect(await response.json()).toEqual({ name: 'team/app', tags: TAGS })
  })

  test('last is an opaque token that carries the page size along', async () => {
    const link = (await ecr.ask('GET', `${PATH}?n=4`)).headers.get('link') ?? ''
    expect(link).toMatch(/^<http:\/\/registry\.test:4566\/v2\/team\/app\/tags\/list\?last=[A-Za-z0-9_-]+>; rel="next"$/)
    expect(await pagesOf(ecr, `${PATH}?n=4`)).toEqual([TAGS.slice(0, 4), TAGS.slice(4)])
  })

  test('a page holds 100', async () => {
    const many = await createPlane({ fidelity: 'aws' })
    await createRepository(many, 'team/app')
    const tags = Array.from({ length: 120 }, (_, index) => `t${String(index).padStart(3, '0')}`)
    await pushImage(many.services, refTo('team/app'), 'tagged', ...tags)
    expect(await pagesOf(many, PATH)).toEqual([tags.slice(0, 100), tags.slice(100)])
    await many.close()
  })

  test('more than 1000 are refused in its words', async () => {
    expect(await refusalOf(await ecr.ask('GET', `${PATH}?n=1001`))).toEqual({
      status: 405,
      code: 'UNSUPPORTED',
      message:
        "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
    })
  })

  test.each(['n=0', 'last=1.0', 'last=MTowOmE', `last=${Buffer.from('1:5:-').toString('base64url')}`])(
    '%s is refused',
    async (query) => {
      expect((await refusalOf(await ecr.ask('GET', `${PATH}?${query}`))).code).toBe('UNSUPPORTED')
    },
  )
})
