import { afterEach, beforeEach, expect, test } from 'bun:test'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCertificateFiles } from '../../src/tls/certificate-files.ts'
import { CertificateError } from '../../src/tls/certificates.ts'
import { openOwnAuthority } from '../../src/tls/own-authority.ts'
import { FakeClock } from '../support/fake-clock.ts'

let directory: string
const clock = new FakeClock(new Date().toISOString())
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'ecru-certificates-'))
})
afterEach(() => rm(directory, { recursive: true, force: true }))

async function write(name: string, hosts: readonly string[]) {
  const made = await openOwnAuthority(undefined, hosts, clock)
  const [served] = made.current()
  const files = { certFile: join(directory, `${name}.crt`), keyFile: join(directory, `${name}.key`) }
  await writeFile(files.keyFile, served?.privateKey ?? '')
  await writeFile(files.certFile, `${served?.certificate}${made.authority}`)
  return { files, authority: made.authority }
}

test('each certificate serves the hosts that it names, and the end of the chain is what clients trust', async () => {
  const [a, b] = [await write('a', ['a.example']), await write('b', ['b.example', '*.B.example'])]
  const certificates = await openCertificateFiles([a.files, b.files])
  expect(certificates.current().map(({ hosts }) => hosts)).toEqual([['a.example'], ['b.example', '*.b.example']])
  expect(certificates.authority?.trim()).toBe(a.authority?.trim())
})

test('new files are taken within moments; halves of them and rubbish are not', async () => {
  const { files } = await write('a', ['a.example'])
  const certificates = await openCertificateFiles([files], 5)
  const before = certificates.current()
  let changed = Promise.withResolvers<void>()
  let failed = Promise.withResolvers<Error>()
  certificates.watch(
    () => changed.resolve(),
    (error) => failed.resolve(error),
  )
  await writeFile(files.certFile, 'rubbish')
  expect((await failed.promise).message).toContain('holds no certificate')
  expect(certificates.current()).toEqual(before)
  await write('a', ['new.example'])
  await changed.promise
  expect(certificates.current()[0]?.hosts).toEqual(['new.example'])
  changed = Promise.withResolvers()
  failed = Promise.withResolvers()
  certificates.close()
})

test('what cannot be used is named', async () => {
  const [a, b] = [await write('a', ['a.example']), await write('b', ['b.example'])]
  const absent = { certFile: join(directory, 'none.crt'), keyFile: a.files.keyFile }
  await expect(openCertificateFiles([absent])).rejects.toThrow(CertificateError)
  await expect(openCertificateFiles([absent])).rejects.toThrow('none.crt cannot be read')
  const mixed = { certFile: a.files.certFile, keyFile: b.files.keyFile }
  await expect(openCertificateFiles([mixed])).rejects.toThrow('is not the key of the certificate')
})
