import { afterEach, beforeEach, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { createServices, type Services } from '../../support/service-fixture.ts'
import { askOperator } from './operator-fixture.ts'

const ARN = 'arn:aws:signer:eu-west-3:123456789012:/signing-profiles/release'

let services: Services
beforeEach(async () => {
  services = await createServices()
})
afterEach(() => services.close())

async function ask(profile: string, isLoopback = true) {
  const path = `/_ecru/signing/certificate?${new URLSearchParams({ profile })}`
  const { status, body } = await askOperator(services, path, { isLoopback })
  return { status, text: JSON.stringify(body) }
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
