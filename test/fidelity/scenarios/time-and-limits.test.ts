import { describe } from 'bun:test'
import { api } from './api-steps.ts'
import { docker } from './oci-steps.ts'
import { given, type Step, scenarios, seen, when } from './scenario.ts'
import { allLifecyclesRun, daysPass, lifecycleRuns, MINUTE_MS, timePasses } from './surroundings-steps.ts'

const app = given(api.repository('app'))
/** An image every minute, so that they have an order. */
const pushes = (...names: readonly string[]) =>
  given(...names.flatMap((name): Step[] => [timePasses(MINUTE_MS), docker.push('app', name, name)]))
const minuteLater = given(timePasses(MINUTE_MS))
const policy = (selection: object, action: object = { type: 'expire' }) =>
  api.call('PutLifecyclePolicy', {
    repositoryName: 'app',
    lifecyclePolicyText: JSON.stringify({ rules: [{ rulePriority: 1, selection, action }] }),
  })
const keep = (countNumber: number, selection: object = { tagStatus: 'any' }) =>
  policy({ ...selection, countType: 'imageCountMoreThan', countNumber })
const older = (days: number, countType = 'sinceImagePushed', action?: object) =>
  policy({ tagStatus: 'any', countType, countUnit: 'days', countNumber: days }, action)
const run = lifecycleRuns('app')

describe('lifecycle policies', () => {
  scenarios({
    'expire what docker pushed, the oldest first': [
      app,
      pushes('a', 'b', 'c'),
      given(keep(2), run),
      seen(docker.tags('app'), ['b', 'c']),
      seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
    ],
    'expire what was left without a tag': [
      app,
      pushes('a'),
      minuteLater,
      given(docker.push('app', 'a', 'b')),
      given(policy({ tagStatus: 'untagged', countType: 'imageCountMoreThan', countNumber: 1 }), run),
      seen(docker.pull('app', '@a'), 'a'),
      minuteLater,
      given(docker.push('app', '@c', 'c'), run),
      seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
      seen(api.images('app'), ['b', 'c']),
    ],
    'expire by prefix alone': [
      app,
      pushes('dev-1', 'dev-2', 'v1', 'v2'),
      given(keep(1, { tagStatus: 'tagged', tagPrefixList: ['dev'] }), run),
      seen(docker.tags('app'), ['dev-2', 'v1', 'v2']),
    ],
    'expire by pattern alone': [
      app,
      pushes('v1-rc', 'v2-rc', 'v1', 'v2'),
      given(keep(1, { tagStatus: 'tagged', tagPatternList: ['v*-rc'] }), run),
      seen(docker.tags('app'), ['v1', 'v2', 'v2-rc']),
    ],
    'keep the children of an index that lives': [
      app,
      given(docker.push('app', '@a', 'a'), timePasses(MINUTE_MS), docker.pushIndex('app', 'all', 'index', 'a')),
      given(keep(1), run),
      seen(docker.pull('app', 'all'), 'index'),
      seen(docker.pull('app', '@a'), 'a'),
    ],
    'take the referrers of what they expire': [
      app,
      pushes('a'),
      given(docker.pushReferrer('app', '@sbom', 'sbom', 'a')),
      pushes('b'),
      given(keep(1, { tagStatus: 'tagged', tagPatternList: ['*'] }), run),
      seen(docker.pull('app', '@a'), 'MANIFEST_UNKNOWN'),
      seen(docker.pull('app', '@sbom'), 'MANIFEST_UNKNOWN'),
      seen(docker.tags('app'), ['b']),
    ],
    'archive what is old, which docker then misses': [
      app,
      pushes('a'),
      given(daysPass(5), docker.push('app', 'b', 'b')),
      given(older(3, 'sinceImagePushed', { type: 'transition', targetStorageClass: 'archive' }), run),
      seen(docker.pull('app', 'a'), 'MANIFEST_UNKNOWN'),
      seen(api.images('app', { imageStatus: 'ARCHIVED' }), ['a']),
      seen(docker.tags('app'), ['b']),
      when(docker.push('app', 'a', 'a')),
      seen(api.get('app', 'a'), 'a'),
    ],
    'expire what is old': [
      app,
      pushes('a'),
      given(daysPass(5), docker.push('app', 'b', 'b'), older(3), run),
      seen(docker.tags('app'), ['b']),
    ],
    'archive what nobody pulls any more': [
      app,
      pushes('a', 'b'),
      seen(docker.pull('app', 'a'), 'a'),
      seen(api.get('app', 'b'), 'b'),
      given(daysPass(5)),
      seen(docker.pull('app', 'b'), 'b'),
      given(older(3, 'sinceImagePulled', { type: 'transition', targetStorageClass: 'archive' }), run),
      seen(docker.tags('app'), ['b']),
      seen(api.images('app', { imageStatus: 'ARCHIVED' }), ['a']),
    ],
    'do nothing to as many as they keep': [
      app,
      pushes('a', 'b'),
      given(keep(2), run),
      seen(docker.tags('app'), ['a', 'b']),
    ],
    'are previewed without acting': [
      app,
      pushes('a', 'b'),
      given(keep(1)),
      when(api.call('StartLifecyclePolicyPreview', { repositoryName: 'app' })),
      seen(docker.tags('app'), ['a', 'b']),
    ],
    'deleted expire nothing': [
      app,
      pushes('a', 'b'),
      given(keep(1), api.call('DeleteLifecyclePolicy', { repositoryName: 'app' }), allLifecyclesRun()),
      seen(docker.tags('app'), ['a', 'b']),
    ],
    'what they expired can be pushed again': [
      app,
      pushes('a', 'b'),
      given(keep(1), run),
      seen(api.tags('app'), ['b']),
      minuteLater,
      when(docker.push('app', 'a', 'a')),
      given(run),
      seen(api.tags('app'), ['a']),
    ],
  })
})

describe('pull times', () => {
  const pulled = api.detail('app', '@a', 'lastRecordedPullTime')
  const isPulled: Step = async (world) => (await pulled(world)) !== undefined
  const exclude = (principalArn: string) => api.call('RegisterPullTimeUpdateExclusion', { principalArn })
  scenarios({
    'are not there before the first pull': [app, pushes('a'), seen(isPulled, false)],
    'come from docker': [app, pushes('a'), seen(docker.pull('app', 'a'), 'a'), seen(isPulled, true)],
    'come from the API': [app, pushes('a'), seen(api.get('app', 'a'), 'a'), seen(isPulled, true)],
    'do not come from a listing': [
      app,
      pushes('a'),
      seen(docker.tags('app'), ['a']),
      seen(api.images('app'), ['a']),
      seen(isPulled, false),
    ],
    'of others are recorded beside an exclusion': [
      app,
      pushes('a'),
      given(exclude('arn:aws:iam::123456789012:role/scanner')),
      seen(docker.pull('app', 'a'), 'a'),
      seen(isPulled, true),
    ],
    'exclusions are there once': [
      given(exclude('arn:aws:iam::123456789012:role/scanner')),
      when(exclude('arn:aws:iam::123456789012:role/scanner'), 'ExclusionAlreadyExistsException'),
      when(api.call('DeregisterPullTimeUpdateExclusion', { principalArn: 'arn:aws:iam::123456789012:role/scanner' })),
      when(
        api.call('DeregisterPullTimeUpdateExclusion', { principalArn: 'arn:aws:iam::123456789012:role/scanner' }),
        'ExclusionNotFoundException',
      ),
    ],
  })
})

describe('pages', () => {
  const names = ['t1', 't2', 't3', 't4', 't5']
  const tagged = given(...names.map((tag) => docker.push('app', tag, 'a')))
  /** All pages of ListImages. */
  const apiPages =
    (maxResults: number): Step =>
    async (world) => {
      const pages: unknown[] = []
      let nextToken: unknown
      do {
        const token = nextToken === undefined ? {} : { nextToken }
        const { body } = await world.call('ListImages', { repositoryName: 'app', maxResults, ...token })
        pages.push((body.imageIds as readonly { readonly imageTag: string }[]).map(({ imageTag }) => imageTag))
        nextToken = body.nextToken
      } while (nextToken !== undefined)
      return pages
    }
  const inTwos = [['t1', 't2'], ['t3', 't4'], ['t5']]
  scenarios({
    'of tags are the same on both planes': [
      app,
      tagged,
      seen(docker.tagPages('app', 2), inTwos),
      seen(apiPages(2), inTwos),
    ],
    'of all tags are one': [app, tagged, seen(docker.tagPages('app', 5), [names]), seen(apiPages(5), [names])],
    'of single tags': [
      app,
      tagged,
      seen(
        docker.tagPages('app', 1),
        names.map((tag) => [tag]),
      ),
      seen(
        apiPages(1),
        names.map((tag) => [tag]),
      ),
    ],
    'go on behind what was deleted': [
      app,
      tagged,
      when(api.delete('app', 't2'), ['a:t2']),
      seen(docker.tagPages('app', 2), [
        ['t1', 't3'],
        ['t4', 't5'],
      ]),
      seen(apiPages(2), [
        ['t1', 't3'],
        ['t4', 't5'],
      ]),
    ],
  })
})

describe('with the fidelity of AWS', () => {
  scenarios(
    {
      'a push and a pull still are one': [
        app,
        when(docker.push('app', 'v1', 'a')),
        seen(api.get('app', 'v1'), 'a'),
        seen(docker.blob('app', 'layer of a'), 'layer of a'),
      ],
      'tags are paged by opaque tokens': [
        app,
        given(docker.push('app', 't1', 'a'), docker.push('app', 't2', 'a'), docker.push('app', 't3', 'a')),
        seen(docker.tagPages('app', 2), [['t1', 't2'], ['t3']]),
        seen(docker.tags('app', '?n=1001'), 'UNSUPPORTED'),
      ],
      'layers are not mounted unless the account enables it': [
        given(api.repository('app'), docker.push('app', 'v1', 'a'), api.repository('copy')),
        when(docker.mount('copy', 'app', 'layer of a'), 'to be uploaded'),
        when(api.call('PutAccountSetting', { name: 'BLOB_MOUNTING', value: 'ENABLED' })),
        when(docker.mount('copy', 'app', 'layer of a'), 'mounted'),
      ],
    },
    { ECRU_FIDELITY: 'aws' },
  )
  scenarios(
    {
      'the quota of images holds for both planes': [
        app,
        given(docker.push('app', 'v1', 'a'), api.push('app', 'v2', 'b')),
        when(docker.push('app', 'v3', 'c'), 'TOOMANYREQUESTS'),
        when(api.push('app', 'v3', 'c'), 'LimitExceededException'),
        when(docker.remove('app', '@a')),
        when(api.push('app', 'v3', 'c')),
        seen(docker.tags('app'), ['v2', 'v3']),
      ],
      'the quota of tags holds for both planes': [
        app,
        given(docker.push('app', 't1', 'a'), api.push('app', 't2', 'a'), docker.push('app', 't3', 'a')),
        when(docker.push('app', 't4', 'a'), 'TOOMANYREQUESTS'),
        when(api.push('app', 't4', 'a'), 'LimitExceededException'),
        when(api.delete('app', 't1'), ['a:t1']),
        when(docker.push('app', 't4', 'a')),
      ],
      'the quota of repositories holds for templates too': [
        given(
          api.call('CreateRepositoryCreationTemplate', { prefix: 'ROOT', appliedFor: ['CREATE_ON_PUSH'] }),
          docker.push('one', 'v1', 'a'),
          api.repository('two'),
        ),
        when(api.repository('three'), 'LimitExceededException'),
        when(docker.push('three', 'v1', 'a'), 'TOOMANYREQUESTS'),
        seen(docker.catalog(), ['one', 'two']),
      ],
    },
    { ECRU_FIDELITY: 'aws', ECRU_QUOTAS: 'aws,imagesPerRepository=2,tagsPerImage=3,repositoriesPerRegistry=2' },
  )
  scenarios(
    {
      'the rate of a permission counts calls of both planes': [
        app,
        given(docker.push('app', 'v1', 'a')),
        seen(docker.pull('app', 'v1'), 'a'),
        seen(api.get('app', 'v1'), 'a'),
        seen(docker.pull('app', 'v1'), 'TOOMANYREQUESTS'),
        seen(api.get('app', 'v1'), 'ThrottlingException'),
        given(timePasses(MINUTE_MS)),
        seen(docker.pull('app', 'v1'), 'a'),
      ],
    },
    { ECRU_RATES: 'BatchGetImage=2' },
  )
})
