import { afterEach, beforeEach, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { silentLogger } from '../../../src/lib/logger.ts'
import { detachedContext } from '../../../src/protocols/http/context.ts'
import { createOperatorPlane } from '../../../src/protocols/operator/routes.ts'
import { createServices, registry, type Services } from '../../support/service-fixture.ts'
import { awsSetting } from '../aws/aws-setting.ts'

const ARN = 'arn:aws:signer:eu-west-3:123456789012:/signing-profiles/release'

let services: Services
beforeEach(async () => {
  services = await createServices()
})
afterEach(() => services.close())

async function ask(profile: string, isLoopback = true) {
  const { clock, signingProfiles } = services
  const setting = awsSetting({ clock, profile: 'dev' })
  const none = async () => {
    throw new Error('not asked for')
  }
  const plane = createOperatorPlane({
    facts: { version: '0', profile: 'dev', fidelity: 'oci', storage: 'memory', startedAt: clock.now() },
    setting,
    logger: silentLogger,
    defaultRegistry: registry,
    checkReady: none,
    totals: none,
    collectGarbage: none,
    scrub: none,
    runLifecycle: none,
    forecastLifecycle: none,
    signingCertificate: (arn: string) => signingProfiles.certificateOf(arn),
  })
  const url = `http://localhost:4566/_ecru/signing/certificate?${new URLSearchParams({ profile })}`
  const response = await plane(new Request(url, { method: 'POST' }), detachedContext({ isLoopback }))
  return { status: response.status, text: await response.text() }
}

test('an operator gets the certificate of a profile, and no key', async () => {
  const { status, text } = await ask(ARN)
  expect(status).toBe(200)
  const { certificate, fingerprint } = JSON.parse(text) as { certificate: string; fingerprint: string }
  expect(new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase()).toBe(fingerprint)
  expect(text).not.toContain('PRIVATE')
  expect((await ask(ARN)).text).toBe(text)
})

test('what is no profile is refused, and so is who has not signed', async () => {
  expect((await ask('release')).text).toContain('InvalidParameterException')
  expect((await ask(ARN, false)).text).toContain('MissingAuthenticationTokenException')
})
