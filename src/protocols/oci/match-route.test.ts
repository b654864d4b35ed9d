import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { isRegistryError } from '../../domain/errors.ts'
import { matchRoute } from './match-route.ts'

describe('routes are read from the end, since names hold slashes', () => {
  test.each([
    ['/v2', 'base', '', ''],
    ['/v2/', 'base', '', ''],
    ['/v2/_catalog', 'catalog', '', ''],
    ['/v2/app/tags/list', 'tags', 'app', ''],
    ['/v2/team/app/tags/list', 'tags', 'team/app', ''],
    ['/v2/team/manifests/tags/list', 'tags', 'team/manifests', ''],
    ['/v2/team/app/manifests/latest', 'manifest', 'team/app', 'latest'],
    ['/v2/app/manifests/manifests/list', 'manifest', 'app/manifests', 'list'],
    ['/v2/app/tags/manifests/list', 'manifest', 'app/tags', 'list'],
    ['/v2/app/blobs/sha256:abc', 'blob', 'app', 'sha256:abc'],
    ['/v2/app/blobs/sha256%3Aabc', 'blob', 'app', 'sha256:abc'],
    ['/v2/app/uploads/blobs/sha256:abc', 'blob', 'app/uploads', 'sha256:abc'],
    ['/v2/blobs/uploads/blobs/uploads/', 'uploads', 'blobs/uploads', ''],
    ['/v2/app/blobs/uploads/', 'uploads', 'app', ''],
    ['/v2/app/blobs/uploads', 'uploads', 'app', ''],
    ['/v2/app/blobs/uploads/an-id', 'upload', 'app', 'an-id'],
    ['/v2/app/blobs/uploads/manifests', 'upload', 'app', 'manifests'],
    ['/v2/app/blobs/uploads/manifests/latest', 'manifest', 'app/blobs/uploads', 'latest'],
    ['/v2/app/referrers/sha256:abc', 'referrers', 'app', 'sha256:abc'],
    ['/v2/team%2Fapp/tags/list', 'tags', 'team/app', ''],
  ] as const)('%s', (path, kind, name, operand) => {
    expect(matchRoute(path)).toEqual({ kind, name, operand })
  })

  test.each([
    '/v2/app',
    '/v2/tags/list',
    '/v2//tags/list',
    '/v2/blobs/uploads/',
    '/v2/manifests/latest',
    '/v2/app/manifests/',
    '/v2/app/blobs/',
    '/v2/app/constructor/latest',
    '/v2/app/__proto__/latest',
    '/v2/app/tags/list/',
    '/v2/_catalog/',
    '',
  ])('%p is no place', (path) => {
    expect(matchRoute(path)).toBeUndefined()
  })

  test('a path that is not percent-encoded text is refused', () => {
    expect(() => matchRoute('/v2/%zz/tags/list')).toThrow(expect.objectContaining({ code: 'request-malformed' }))
  })

  test('a name that is made of the words themselves comes back whole', () => {
    const word = fc.constantFrom('blobs', 'uploads', 'manifests', 'tags', 'list', 'referrers', 'app', 'v2')
    const name = fc.array(word, { minLength: 1, maxLength: 6 }).map((words) => words.join('/'))
    const place = fc.constantFrom(
      ['/tags/list', 'tags', ''],
      ['/blobs/uploads/', 'uploads', ''],
      ['/manifests/latest', 'manifest', 'latest'],
      ['/blobs/sha256:abc', 'blob', 'sha256:abc'],
      ['/referrers/sha256:abc', 'referrers', 'sha256:abc'],
    )
    fc.assert(
      fc.property(name, place, (text, [end = '', kind = '', operand = '']) => {
        expect(matchRoute(`/v2/${text}${end}`)).toEqual({ kind, name: text, operand } as never)
      }),
    )
  })

  test('any path is matched, unknown or refused', () => {
    fc.assert(
      fc.property(fc.webPath(), (path) => {
        try {
          matchRoute(`/v2${path}`)
        } catch (thrown) {
          expect(isRegistryError(thrown, 'request-malformed')).toBe(true)
        }
      }),
    )
  })
})
