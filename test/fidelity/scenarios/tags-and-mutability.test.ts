import { describe } from 'bun:test'
import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, type Line, scenarios, seen, when } from './scenario.ts'

const MODES = ['MUTABLE', 'IMMUTABLE', 'MUTABLE_WITH_EXCLUSION', 'IMMUTABLE_WITH_EXCLUSION'] as const
type Mode = (typeof MODES)[number]

const modeOf = (imageTagMutability: Mode) => ({
  imageTagMutability,
  ...(imageTagMutability.endsWith('EXCLUSION')
    ? { imageTagMutabilityExclusionFilters: [{ filterType: 'WILDCARD', filter: 'dev*' }] }
    : {}),
})

/** The tags, and for each mode whether it stays where it was set. */
const TAGS = {
  'dev-1': { MUTABLE: false, IMMUTABLE: true, MUTABLE_WITH_EXCLUSION: true, IMMUTABLE_WITH_EXCLUSION: false },
  v1: { MUTABLE: false, IMMUTABLE: true, MUTABLE_WITH_EXCLUSION: false, IMMUTABLE_WITH_EXCLUSION: true },
} as const

/** The two ways to push, and their words for what cannot be. */
const PLANES = {
  '/v2/': { push: docker.push, pull: docker.pull, other: api.get, again: 'done', immutable: 'TAG_INVALID' },
  'the API': {
    push: api.push,
    pull: api.get,
    other: docker.pull,
    again: 'ImageAlreadyExistsException',
    immutable: 'ImageTagAlreadyExistsException',
  },
} as const

for (const [plane, { push, pull, other, again, immutable }] of Object.entries(PLANES))
  describe(`tags set by ${plane}`, () => {
    const table: Record<string, readonly Line[]> = {}
    for (const mode of MODES)
      for (const [tag, isFixed] of Object.entries(TAGS)) {
        const refusal = isFixed[mode] ? immutable : undefined
        const made = given(api.repository('app', modeOf(mode)))
        table[`${mode}, ${tag}: another image ${refusal ? 'may not' : 'may'} take the tag`] = [
          made,
          when(push('app', tag, 'first')),
          seen(other('app', tag), 'first'),
          when(push('app', tag, 'second'), refusal ?? 'done'),
          seen(other('app', tag), refusal ? 'first' : 'second'),
          seen(pull('app', tag), refusal ? 'first' : 'second'),
        ]
        table[`${mode}, ${tag}: the same image again`] = [
          made,
          given(push('app', tag, 'first')),
          when(push('app', tag, 'first'), refusal ?? again),
          seen(other('app', tag), 'first'),
        ]
        table[`${mode}, ${tag}: deleted by the API, it is free again`] = [
          made,
          given(push('app', tag, 'first')),
          when(api.delete('app', tag), [`first:${tag}`]),
          seen(docker.pull('app', tag), 'MANIFEST_UNKNOWN'),
          when(push('app', tag, 'second')),
          seen(other('app', tag), 'second'),
        ]
      }
    scenarios(table)
  })

describe('tags across planes', () => {
  scenarios({
    'a tag pushed by docker is listed by the API': [
      given(api.repository('app')),
      when(docker.push('app', 'v1', 'a')),
      seen(api.tags('app'), ['v1']),
      seen(api.images('app', { tagStatus: 'TAGGED' }), ['a']),
    ],
    'a tag put by the API is listed to docker': [
      given(api.repository('app')),
      when(api.push('app', 'v1', 'a')),
      seen(docker.tags('app'), ['v1']),
    ],
    'a second tag of an image that docker pushed needs no bytes': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(api.push('app', 'v2', 'a')),
      seen(docker.tags('app'), ['v1', 'v2']),
      seen(docker.pull('app', 'v2'), 'a'),
      seen(api.detail('app', '@a', 'imageTags'), ['v1', 'v2']),
    ],
    'an image whose tag moved is untagged, and can be pulled by digest': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(docker.push('app', 'v1', 'b')),
      seen(api.images('app', { tagStatus: 'UNTAGGED' }), ['a']),
      seen(docker.pull('app', '@a'), 'a'),
      seen(api.tags('app'), ['v1']),
    ],
    'the mode that is put later holds for later pushes of docker': [
      given(api.repository('app'), docker.push('app', 'v1', 'a')),
      when(api.call('PutImageTagMutability', { repositoryName: 'app', imageTagMutability: 'IMMUTABLE' })),
      when(docker.push('app', 'v1', 'b'), 'TAG_INVALID'),
      when(api.call('PutImageTagMutability', { repositoryName: 'app', imageTagMutability: 'MUTABLE' })),
      when(docker.push('app', 'v1', 'b')),
      seen(api.get('app', 'v1'), 'b'),
    ],
    'a tag of the longest length goes both ways': [
      given(api.repository('app'), docker.push('app', 'a'.repeat(128), 'a')),
      seen(api.get('app', 'a'.repeat(128)), 'a'),
      when(api.push('app', 'b'.repeat(300), 'b')),
      seen(docker.pull('app', 'b'.repeat(300)), 'b'),
    ],
    'an image pushed by digest has no tag, until the API gives it one': [
      given(api.repository('app'), docker.push('app', '@a', 'a')),
      seen(docker.tags('app'), []),
      seen(api.images('app', { tagStatus: 'UNTAGGED' }), ['a']),
      when(api.push('app', 'v1', 'a')),
      seen(docker.tags('app'), ['v1']),
      seen(api.images('app', { tagStatus: 'UNTAGGED' }), []),
    ],
  })
})
