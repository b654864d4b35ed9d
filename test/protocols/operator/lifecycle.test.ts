import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { RepositoryRef } from '../../../src/domain/names.ts'
import { silentLogger } from '../../../src/lib/logger.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { createOperatorPlane } from '../../../src/protocols/operator/routes.ts'
import { admin, createServices, pushImage, refTo, registry, type Services } from '../../support/service-fixture.ts'
import { awsSetting } from '../aws/aws-setting.ts'

const ref = refTo('team/app')
const text = JSON.stringify({
  rules: [
    {
      rulePriority: 1,
      selection: { tagStatus: 'any', countType: 'imageCountMoreThan', countNumber: 1 },
      action: { type: 'expire' },
    },
  ],
})

let services: Services

beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})

afterEach(() => services.close())

async function ask(path: string, { profile = 'dev', isLoopback = true, headers = {}, method = 'POST' } = {}) {
  const { clock, lifecycleJobs } = services
  const setting = awsSetting({ clock, profile: profile as 'dev' | 'server' })
  const none = async () => {
    throw new Error('not asked for')
  }
  const plane = createOperatorPlane({
    facts: { version: '0', profile: setting.profile, fidelity: 'oci', storage: 'memory', startedAt: clock.now() },
    setting,
    logger: silentLogger,
    defaultRegistry: registry,
    checkReady: none,
    totals: none,
    collectGarbage: none,
    scrub: none,
    runLifecycle: (target: RepositoryRef | 'all') => lifecycleJobs.run(target),
    forecastLifecycle: (one: RepositoryRef) => lifecycleJobs.forecast(one),
  })
  const request = new Request(`http://localhost:4566/_ecru/lifecycle/${path}`, { method, headers })
  const response = await plane(request, detachedContext({ isLoopback }))
  return { status: response.status, body: (await response.json()) as Readonly<Record<string, unknown>> }
}

describe('an operator', () => {
  test('sees what a policy would do, and has it done', async () => {
    await pushImage(services, ref, 'old', 'v1')
    services.clock.advance(60_000)
    await pushImage(services, ref, 'new', 'v2')
    await services.lifecycle.putPolicy(admin, ref, text)
    const preview = await ask('preview?repository=team/app')
    expect(preview).toMatchObject({
      status: 200,
      body: { imageCount: 2, expiringCount: 1, images: [{ tags: ['v1'] }] },
    })
    const elsewhere = await ask('preview?repository=team/app&region=us-east-1')
    expect(elsewhere).toMatchObject({ status: 400, body: { code: 'RepositoryNotFoundException' } })
    const path = `run?repository=team/app&account=${registry.registryId}&region=${registry.region}`
    expect(await ask(path)).toMatchObject({ status: 200, body: { expiredImages: 1, repositories: 1 } })
    const { body } = await ask('preview?repository=team/app')
    expect(body).toMatchObject({
      imageCount: 1,
      expiringCount: 0,
      lastRun: { expiredCount: 1, actions: [{ tags: ['v1'] }] },
    })
    expect(await ask('run?all=true')).toMatchObject({ status: 200, body: { expiredImages: 0, repositories: 1 } })
  })

  test('is told what is wrong', async () => {
    for (const [path, code] of [
      ['run', 'InvalidParameterException'],
      ['run?repository=No', 'InvalidParameterException'],
      ['run?repository=team/app', 'LifecyclePolicyNotFoundException'],
      ['run?repository=nowhere', 'RepositoryNotFoundException'],
      ['preview?repository=team/app&account=1', 'InvalidParameterException'],
      ['preview?repository=team/app&region=!', 'InvalidParameterException'],
    ] as const)
      expect(await ask(path), path).toMatchObject({ status: 400, body: { code } })
    expect((await ask('run?all=true', { method: 'GET' })).status).toBe(405)
  })

  test('signs, unless in the dev profile on this machine and no web page', async () => {
    for (const surroundings of [
      { profile: 'server' },
      { isLoopback: false },
      { headers: { origin: 'http://elsewhere' } },
    ])
      for (const path of ['run?all=true', 'preview?repository=team/app'])
        expect(await ask(path, surroundings)).toMatchObject({
          status: 400,
          body: { code: 'MissingAuthenticationTokenException' },
        })
  })
})
