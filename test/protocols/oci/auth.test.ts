import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { parseRegion } from '../../../src/domain/names.ts'
import { TOKEN_LIFETIME_MS } from '../../../src/services/credentials/tokens.ts'
import { registry, stranger } from '../../support/service-fixture.ts'
import { basic, createPlane, createRepository, HOST, type Plane, REQUEST_ID, refusalOf } from './plane.ts'

let plane: Plane
beforeAll(async () => {
  plane = await createPlane()
  await createRepository(plane, 'team/app')
})
afterAll(() => plane.close())

const asking = (authorization: string | undefined, method = 'GET', path = '/v2/') =>
  plane.ask(method, path, authorization === undefined ? { isLoggedIn: false } : { headers: { authorization } })

describe('without credentials', () => {
  test.each([
    ['GET', '/v2/'],
    ['GET', '/v2'],
    ['GET', '/v2/team/app/tags/list'],
    ['POST', '/v2/team/app/blobs/uploads/'],
    ['GET', '/v2/no/such/place'],
  ])('%s %s is answered exactly as ECR does', async (method, path) => {
    const response = await asking(undefined, method, path)
    expect(response.status).toBe(401)
    expect(await response.text()).toBe('Not Authorized\n')
    expect(Object.fromEntries(response.headers)).toEqual({
      'content-length': '15',
      'content-type': 'text/plain; charset=utf-8',
      'docker-distribution-api-version': 'registry/2.0',
      'www-authenticate': `Basic realm="http://${HOST}/",service="ecr.amazonaws.com"`,
      'x-amzn-requestid': REQUEST_ID,
    })
  })

  test('HEAD gets the challenge without a body', async () => {
    const response = await asking(undefined, 'HEAD', '/v2/team/app/manifests/latest')
    expect(response.status).toBe(401)
    expect(response.body).toBeNull()
    expect(response.headers.get('www-authenticate')).toStartWith('Basic ')
  })

  test('the realm follows the scheme of the request', async () => {
    const overTls = await plane.ask('GET', `https://${HOST}/v2/`, { isLoggedIn: false })
    expect(overTls.headers.get('www-authenticate')).toContain(`realm="https://${HOST}/"`)
    const behindProxy = await plane.ask('GET', '/v2/', {
      isLoggedIn: false,
      headers: { 'x-forwarded-proto': 'https' },
    })
    expect(behindProxy.headers.get('www-authenticate')).toContain(`realm="https://${HOST}/"`)
  })

  test.each(['Bearer abc', 'Digest a="b"', 'Basically abc', ''])('%p is no login either', async (authorization) => {
    expect((await asking(authorization)).status).toBe(401)
  })

  test('another user name than AWS is asked to log in again', async () => {
    const { password } = await plane.services.tokens.issue(stranger, parseRegion('eu-west-3'))
    expect((await asking(basic('admin', password))).status).toBe(401)
    expect((await asking(basic('', password))).status).toBe(401)
  })
})

describe('with credentials', () => {
  test('a good token opens the registry, whatever the case of the scheme', async () => {
    for (const authorization of [plane.authorization, plane.authorization.replace('Basic', 'basic')]) {
      const response = await asking(authorization)
      expect(response.status).toBe(200)
      expect(response.headers.get('docker-distribution-api-version')).toBe('registry/2.0')
    }
  })

  test('the caller is named to the access log', async () => {
    const principals: string[] = []
    await plane.ask('GET', '/v2/', { context: { setPrincipal: (arn) => principals.push(arn) } })
    expect(principals).toEqual(['arn:aws:iam::123456789012:root'])
  })

  test.each([
    ['a mangled token', () => basic('AWS', 'eyJhbGciOiJIUzI1NiJ9.mangled.token')],
    ['an empty token', () => basic('AWS', '')],
    ['a token cut short', () => plane.authorization.slice(0, -20)],
    ['no colon', () => `Basic ${Buffer.from('AWS').toString('base64')}`],
    ['no base64', () => 'Basic ***'],
    ['nothing behind the scheme', () => 'Basic'],
  ])('%s is a bad request, as with ECR', async (_, authorization) => {
    const refusal = await refusalOf(await asking(authorization()))
    expect(refusal).toEqual({ status: 400, code: 'DENIED', message: 'Your Authorization Token is invalid.' })
  })

  test('an expired token is denied in the words of ECR', async () => {
    const other = await createPlane()
    other.services.clock.advance(TOKEN_LIFETIME_MS + 1000)
    expect(await refusalOf(await other.ask('GET', '/v2/'))).toEqual({
      status: 403,
      code: 'DENIED',
      message: 'Your authorization token has expired. Reauthenticate and try again.',
    })
    await other.close()
  })

  test('a host of another region refuses the token', async () => {
    const host = `${registry.registryId}.dkr.ecr.us-east-1.registry.test`
    expect((await refusalOf(await plane.ask('GET', `https://${host}/v2/`))).status).toBe(400)
  })

  test('a host of another account is denied with the sentence of IAM', async () => {
    const host = `999999999999.dkr.ecr.${registry.region}.registry.test`
    expect(await refusalOf(await plane.ask('GET', `https://${host}/v2/team/app/tags/list`))).toEqual({
      status: 403,
      code: 'DENIED',
      message:
        'User: arn:aws:iam::123456789012:root is not authorized to perform: ecr:ListImages on resource: arn:aws:ecr:eu-west-3:999999999999:repository/team/app because no resource-based policy allows the ecr:ListImages action',
    })
  })

  test('a host of the own registry is served', async () => {
    const host = `${registry.registryId}.dkr.ecr.${registry.region}.registry.test`
    expect((await plane.ask('GET', `https://${host}/v2/team/app/tags/list`)).status).toBe(200)
  })

  test('HEAD without permission has no body', async () => {
    const host = `999999999999.dkr.ecr.${registry.region}.registry.test`
    const response = await plane.ask('HEAD', `https://${host}/v2/team/app/manifests/latest`)
    expect(response.status).toBe(403)
    expect(response.body).toBeNull()
  })
})
