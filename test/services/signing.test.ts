import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { flattenedVerify } from 'jose'
import type { Digest } from '../../src/domain/digest.ts'
import { GENEROUS_QUOTAS } from '../../src/domain/quotas.ts'
import { SigningJob } from '../../src/jobs/signing.ts'
import { silentLogger } from '../../src/lib/logger.ts'
import { ImageSigner } from '../../src/services/signing/image-signer.ts'
import { plain } from '../suites/blob-bytes.ts'
import {
  admin,
  createServices,
  indexOf,
  manifestOf,
  pushImage,
  pushLayer,
  refTo,
  registry,
  type Services,
  stranger,
} from '../support/service-fixture.ts'

const PROFILES = 'arn:aws:signer:eu-west-3:123456789012:/signing-profiles/'
const SIGNATURE = 'application/vnd.cncf.notary.signature'
const ref = refTo('team/app')

let services: Services
beforeEach(async () => {
  services = await createServices()
  await services.repositories.create(admin, ref)
})
afterEach(() => services.close())

const configure = (...profiles: readonly string[]) =>
  services.signing.putConfiguration(admin, registry, {
    rules: profiles.map((name) => ({ profileArn: name.includes(':') ? name : PROFILES + name })),
  })

const statusOf = async (digest: Digest) => (await services.signing.statusOf(admin, ref, { digest })).signings

async function signaturesOf(subject: Digest) {
  const { items } = await services.imageLists.listReferrers(admin, ref, subject, {}, { limit: 10 })
  return items
}

async function bytesOf(digest: Digest): Promise<Uint8Array> {
  return new Response(await services.blobs.read(plain(digest))).bytes()
}

describe('a push', () => {
  test('waits for no signature; the job makes it afterwards, once', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    expect(await statusOf(digest)).toEqual([
      { profileArn: `${PROFILES}release`, status: 'IN_PROGRESS', failure: undefined },
    ])
    expect(await signaturesOf(digest)).toEqual([])
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 1, failed: 0, postponed: 0 })
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 0 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'COMPLETE' }])
    expect(await signaturesOf(digest)).toMatchObject([{ artifactType: SIGNATURE, artifactMediaType: SIGNATURE }])
  })

  test('is signed by every matching profile', async () => {
    await configure('release', 'audit', 'release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    await services.signingJobs.signNow()
    expect(await statusOf(digest)).toMatchObject([
      { profileArn: `${PROFILES}release`, status: 'COMPLETE' },
      { profileArn: `${PROFILES}audit`, status: 'COMPLETE' },
    ])
    const signatures = await signaturesOf(digest)
    expect(
      new Set(signatures.map(({ annotations }) => annotations?.['io.cncf.notary.x509chain.thumbprint#S256'])).size,
    ).toBe(2)
  })

  test('of an index is signed, and one of a signature or another artifact is not', async () => {
    await configure('release')
    const child = await pushImage(services, ref, 'child')
    const { image } = await services.images.push(admin, ref, { manifest: indexOf([child]), tags: [] })
    await services.signingJobs.signNow()
    expect(await statusOf(image.digest)).toMatchObject([{ status: 'COMPLETE' }])
    const [signature] = await signaturesOf(image.digest)
    expect(await statusOf(signature?.digest ?? image.digest)).toEqual([])
    const config = await pushLayer(services, ref, 'config')
    const subject = { mediaType: image.mediaType, digest: image.digest, size: 1 }
    const sbom = await services.images.push(admin, ref, { manifest: manifestOf(config, [], { subject }), tags: [] })
    expect(await statusOf(sbom.image.digest)).toEqual([])
  })

  test('before there was a configuration is not signed; a new tag has the image signed, the same tag changes nothing', async () => {
    const digest = await pushImage(services, ref, 'one', 'v1')
    await configure('release')
    await services.signingJobs.signNow()
    await pushImage(services, ref, 'one', 'v1')
    expect(await statusOf(digest)).toEqual([])
    await pushImage(services, ref, 'one', 'v2')
    await services.signingJobs.signNow()
    await pushImage(services, ref, 'one', 'v3')
    await services.signingJobs.signNow()
    expect(await signaturesOf(digest)).toHaveLength(1)
  })

  test('that is undone asks for no signature', async () => {
    await configure('release')
    const config = await pushLayer(services, ref, 'config')
    const undo = async () => {
      throw new Error('undone')
    }
    const push = services.images.push(admin, ref, { manifest: manifestOf(config, []), tags: [] }, undo)
    await expect(push).rejects.toThrow('undone')
    expect(await services.metadata.view.signings.listUnfinished({ limit: 1 })).toEqual([])
  })
})

describe('a signature', () => {
  test('is a JWS over the descriptor of the image, by the key of the certificate that is exported', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    await services.signingJobs.signNow()
    const [signature] = await signaturesOf(digest)
    const { image, manifest } = await services.images.pull(admin, ref, { digest: signature?.digest ?? digest })
    expect(image.subject).toBe(digest)
    const { layers } = JSON.parse(new TextDecoder().decode(manifest)) as {
      layers: readonly [{ mediaType: string; digest: Digest }]
    }
    expect(layers).toMatchObject([{ mediaType: 'application/jose+json' }])
    const jws = JSON.parse(new TextDecoder().decode(await bytesOf(layers[0].digest)))
    const exported = await services.signingProfiles.certificateOf(`${PROFILES}release`)
    const certificate = new X509Certificate(exported.certificate)
    const crit = { 'io.cncf.notary.signingScheme': true }
    const verified = await flattenedVerify(jws, certificate.publicKey, { crit })
    const signed = await services.images.pull(admin, ref, { digest })
    expect(JSON.parse(new TextDecoder().decode(verified.payload))).toEqual({
      targetArtifact: { mediaType: signed.image.mediaType, digest, size: signed.manifest.byteLength },
    })
    expect(verified.protectedHeader).toMatchObject({
      alg: 'ES384',
      cty: 'application/vnd.cncf.notary.payload.v1+json',
      'io.cncf.notary.signingScheme': 'notary.x509',
      'io.cncf.notary.signingTime': `${services.clock.now().toISOString().slice(0, 19)}Z`,
    })
    expect(jws.header.x5c).toEqual([certificate.raw.toString('base64')])
    const stray = await services.signingProfiles.certificateOf(`${PROFILES}other`)
    await expect(flattenedVerify(jws, new X509Certificate(stray.certificate).publicKey, { crit })).rejects.toThrow()
  })

  test('is by a certificate that is good for code only, and stays the same', async () => {
    const [one, two] = await Promise.all([1, 2].map(() => services.signingProfiles.certificateOf(`${PROFILES}release`)))
    expect(one).toEqual(two as NonNullable<typeof two>)
    const certificate = new X509Certificate(one?.certificate ?? '')
    expect(certificate.ca).toBe(false)
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.3'])
    expect(certificate.verify(certificate.publicKey)).toBe(true)
    expect(certificate.publicKey.asymmetricKeyDetails?.namedCurve).toBe('secp384r1')
    expect(one?.subject).toBe('CN=release,O=123456789012,ST=eu-west-3,C=ZZ')
    expect(JSON.stringify(one)).not.toContain('PRIVATE')
  })
})

describe('a signing that cannot be done', () => {
  test('fails with a code and a reason, while the push stands', async () => {
    await configure('arn:aws:signer:eu-west-3:999999999999:/signing-profiles/theirs')
    const digest = await pushImage(services, ref, 'one', 'v1')
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 0, failed: 1 })
    expect(await statusOf(digest)).toMatchObject([
      { status: 'FAILED', failure: { code: 'AccessDenied', reason: expect.stringContaining('signer:SignPayload') } },
    ])
    expect(await signaturesOf(digest)).toEqual([])
  })

  test('fails when the pusher may not push any more', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    const deny = { Effect: 'Deny', Principal: '*', Action: 'ecr:PutImage' }
    const text = JSON.stringify({ Version: '2012-10-17', Statement: [deny] })
    await services.policies.setOfRepository(admin, ref, text, true)
    await services.signingJobs.signNow()
    expect(await statusOf(digest)).toMatchObject([{ status: 'FAILED', failure: { code: 'AccessDenied' } }])
    await services.policies.deleteOfRepository(admin, ref)
    await pushImage(services, ref, 'one', 'v2')
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 1 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'COMPLETE', failure: undefined }])
  })

  test('fails at a quota, and waits for a rate', async () => {
    await services.close()
    const quotas = { ...GENEROUS_QUOTAS, imagesPerRepository: 1 }
    services = await createServices({ quotas, rates: { PutImage: 1 } })
    await services.repositories.create(admin, ref)
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 0, failed: 0, postponed: 1 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'IN_PROGRESS' }])
    services.clock.advance(1_000)
    await services.signingJobs.signNow()
    expect(await statusOf(digest)).toMatchObject([{ status: 'FAILED', failure: { code: 'LimitExceeded' } }])
  })

  test('is dropped when the image or its repository is gone', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    await services.imageDeletion.deleteMany(admin, ref, [{ digest }])
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 0, failed: 0 })
    await pushImage(services, ref, 'two', 'v1')
    await services.repositories.delete(admin, ref, true)
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 0, failed: 0 })
  })
})

describe('a signing that breaks off', () => {
  test('leaves nothing half done, and is made again', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    const { metadata, clock, uploads, images, signingProfiles } = services
    const aborted = new AbortController()
    class Breaking extends ImageSigner {
      override async sign(...[pending, end]: Parameters<ImageSigner['sign']>): Promise<void> {
        await super.sign(pending, async (tx) => {
          await end(tx)
          aborted.abort()
          throw new Error('the power fails')
        })
      }
    }
    const signer = new Breaking(signingProfiles, uploads, images, clock)
    const job = new SigningJob(metadata, signer, clock, silentLogger, 'test')
    await expect(job.run(aborted.signal)).rejects.toThrow('the power fails')
    expect(await statusOf(digest)).toMatchObject([{ status: 'IN_PROGRESS' }])
    expect(await signaturesOf(digest)).toEqual([])
    services.signingJobs.start()
    while ((await statusOf(digest))[0]?.status === 'IN_PROGRESS') await new Promise(setImmediate)
    expect(await statusOf(digest)).toMatchObject([{ status: 'COMPLETE' }])
    expect(await signaturesOf(digest)).toHaveLength(1)
  })

  test('another process does what one is at, later', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    const { metadata, clock } = services
    await metadata.transact((tx) =>
      tx.leases.take('signing', 'other', clock.now(), new Date(clock.now().getTime() + 60_000)),
    )
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 0 })
    expect(await statusOf(digest)).toMatchObject([{ status: 'IN_PROGRESS' }])
    clock.advance(61_000)
    expect(await services.signingJobs.signNow()).toMatchObject({ signed: 1 })
  })
})

describe('the configuration', () => {
  test('is its registry’s own, and signed images stay signed without it', async () => {
    await configure('release')
    const digest = await pushImage(services, ref, 'one', 'v1')
    await services.signingJobs.signNow()
    await services.signing.deleteConfiguration(admin, registry)
    await expect(services.signing.getConfiguration(admin, registry)).rejects.toThrow('does not exist')
    expect(await signaturesOf(digest)).toHaveLength(1)
    expect(await statusOf(digest)).toHaveLength(1)
    const later = await pushImage(services, ref, 'two', 'v2')
    expect(await statusOf(later)).toEqual([])
    await expect(services.signing.getConfiguration(stranger, registry)).rejects.toThrow('not authorized')
    await expect(services.signing.statusOf(stranger, ref, { digest })).rejects.toThrow('not authorized')
  })

  test('takes profiles of its region only', async () => {
    await expect(configure('arn:aws:signer:us-east-1:123456789012:/signing-profiles/release')).rejects.toThrow(
      'must be in the region',
    )
  })
})

test('a signature goes into the archive with its image', async () => {
  await configure('release')
  const digest = await pushImage(services, ref, 'one', 'v1')
  await services.signingJobs.signNow()
  const [signature] = await signaturesOf(digest)
  await services.storageClasses.update(admin, ref, { digest }, 'ARCHIVE')
  const { items } = await services.imageLists.listReferrers(admin, ref, digest, { status: 'ARCHIVED' }, { limit: 10 })
  expect(items.map((item) => item.digest)).toEqual(signature === undefined ? [] : [signature.digest])
})
