import { describe, expect, test } from 'bun:test'
import { parseImageName } from './image-name.ts'
import { parseRegion, parseRegistryId } from './names.ts'

const REGISTRY = { registryId: parseRegistryId('000000000000'), region: parseRegion('us-east-1') }
const DIGEST = `sha256:${'ab'.repeat(32)}`

describe('an image is named', () => {
  test.each([
    ['app', 'app', { tag: 'latest' }],
    ['team/app:1.2', 'team/app', { tag: '1.2' }],
    [`team/app@${DIGEST}`, 'team/app', { digest: DIGEST }],
    [`app:1@${DIGEST}`, 'app', { digest: DIGEST }],
    ['localhost:4566/app:1', 'app', { tag: '1' }],
    ['localhost/app', 'app', { tag: 'latest' }],
    ['registry.example.com/team/app:1', 'team/app', { tag: '1' }],
  ])('%s', (text, name, reference) => {
    expect(parseImageName(text, REGISTRY)).toEqual({ ref: { registry: REGISTRY, name }, reference } as never)
  })

  test("with the host of another registry, in ECR's form", () => {
    const { ref } = parseImageName('123456789012.dkr.ecr.eu-west-3.amazonaws.com/app:1', REGISTRY)
    expect(ref).toEqual({ registry: { registryId: '123456789012', region: 'eu-west-3' }, name: 'app' } as never)
  })

  test.each(['', ':1', '@sha256:ab', 'App:1', 'app:a b', 'app@sha256:12', 'localhost:4566/'])(
    'but not by %p',
    (text) => {
      expect(() => parseImageName(text, REGISTRY)).toThrow()
    },
  )
})
