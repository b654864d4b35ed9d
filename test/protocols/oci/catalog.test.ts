import { afterAll, beforeAll, expect, test } from 'bun:test'
import { createPlane, createRepository, ORIGIN, type Plane, refusalOf } from './plane.ts'

const NAMES = ['app', 'team/app', 'team/db', 'zoo']

let plane: Plane
beforeAll(async () => {
  plane = await createPlane()
  for (const name of NAMES.toReversed()) await createRepository(plane, name)
})
afterAll(() => plane.close())

const page = async (query: string) => {
  const response = await plane.ask('GET', `/v2/_catalog${query}`)
  return { body: await response.json(), link: response.headers.get('link') }
}

test('all repositories of the registry by name', async () => {
  expect(await page('')).toEqual({ body: { repositories: NAMES }, link: null })
})

test('in pages that lead on', async () => {
  const first = await page('?n=2')
  expect(first.body).toEqual({ repositories: ['app', 'team/app'] })
  expect(first.link).toBe(`<${ORIGIN}/v2/_catalog?n=2&last=team%2Fapp>; rel="next"`)
  expect(await page('?n=2&last=team%2Fapp')).toEqual({ body: { repositories: ['team/db', 'zoo'] }, link: null })
  expect(await page('?n=0')).toEqual({ body: { repositories: [] }, link: null })
  expect(await page('?last=team%2Fbb')).toEqual({ body: { repositories: ['team/db', 'zoo'] }, link: null })
})

test('a last that can be no name is refused', async () => {
  expect((await refusalOf(await plane.ask('GET', '/v2/_catalog?last=Team'))).code).toBe('NAME_INVALID')
})

test('another account sees nothing of it', async () => {
  const host = 'https://999999999999.dkr.ecr.eu-west-3.registry.test'
  expect((await refusalOf(await plane.ask('GET', `${host}/v2/_catalog`))).code).toBe('DENIED')
})
