import { afterEach, beforeEach, expect, test } from 'bun:test'
import { createPrivateKey, X509Certificate } from 'node:crypto'
import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CertificateError } from '../../src/tls/certificates.ts'
import { openOwnAuthority } from '../../src/tls/own-authority.ts'
import { FakeClock } from '../support/fake-clock.ts'

let directory: string
const clock = new FakeClock('2026-05-01T10:20:30.400Z')
const HOSTS = ['registry.example.com', '*.dkr.example.com', '10.0.0.7', '::1']

beforeEach(async () => {
  directory = join(await mkdtemp(join(tmpdir(), 'ecru-authority-')), 'tls')
})
afterEach(() => rm(join(directory, '..'), { recursive: true, force: true }))

test('the server certificate is good for the hosts, for servers alone, and signed by the authority', async () => {
  const certificates = await openOwnAuthority(directory, HOSTS, clock)
  const authority = new X509Certificate(certificates.authority ?? '')
  const [served] = certificates.current()
  const leaf = new X509Certificate(served?.certificate ?? '')
  expect(leaf.verify(authority.publicKey)).toBeTrue()
  expect(leaf.checkIssued(authority)).toBeTrue()
  expect(leaf.checkPrivateKey(createPrivateKey(served?.privateKey ?? ''))).toBeTrue()
  expect(leaf.checkHost('registry.example.com')).toBeDefined()
  expect(leaf.checkHost('123456789012.dkr.example.com')).toBeDefined()
  expect(leaf.checkHost('other.example.com')).toBeUndefined()
  expect(leaf.checkIP('10.0.0.7')).toBe('10.0.0.7')
  expect([authority.ca, leaf.ca]).toEqual([true, false])
  expect(new Date(leaf.validTo).getTime() - clock.now().getTime()).toBeLessThanOrEqual(90 * 24 * 3600 * 1000)
})

test('the authority is made once, and its key is for its owner alone', async () => {
  const first = await openOwnAuthority(directory, HOSTS, clock)
  const second = await openOwnAuthority(directory, ['other.example.com'], clock)
  expect(second.authority).toBe(first.authority)
  expect(second.current()[0]?.hosts).toEqual(['other.example.com'])
  expect((await stat(join(directory, 'ca.key'))).mode & 0o777).toBe(0o600)
})

test('an authority without its key is not made anew in silence', async () => {
  await openOwnAuthority(directory, HOSTS, clock)
  await rm(join(directory, 'ca.key'))
  await expect(openOwnAuthority(directory, HOSTS, clock)).rejects.toThrow(CertificateError)
})

test('in memory nothing is written', async () => {
  const certificates = await openOwnAuthority(undefined, HOSTS, clock)
  expect(certificates.authority).toStartWith('-----BEGIN CERTIFICATE-----')
})
