import { expect, test } from 'bun:test'
import { detachedContext, type Handler } from '../../../src/protocols/http/context.ts'
import { besidePublic } from '../../../src/protocols/http/public-router.ts'

const saying = (name: string): Handler => {
  return async () => new Response(name)
}

const route = besidePublic(
  new Set(['public.ecr.aws', 'localhost:4566']),
  { oci: saying('oci'), token: saying('token'), logos: saying('logos') },
  saying('others'),
)

test.each([
  ['http://public.ecr.aws/v2/', 'oci'],
  ['http://public.ecr.aws/v2', 'oci'],
  ['http://localhost:4566/v2/a/b/manifests/v1', 'oci'],
  ['http://localhost:4566/token/?service=public.ecr.aws', 'token'],
  ['http://localhost:4566/token', 'token'],
  ['http://127.0.0.1:4566/_ecru/logos/x.png', 'logos'],
  ['http://127.0.0.1:4566/v2/', 'others'],
  ['http://127.0.0.1:4566/token/', 'others'],
  ['http://localhost:4567/v2/', 'others'],
  ['http://localhost:4566/', 'others'],
  ['http://localhost:4566/_ecru/health', 'others'],
])('%s goes to %s', async (url, plane) => {
  expect(await (await route(new Request(url), detachedContext())).text()).toBe(plane)
})
