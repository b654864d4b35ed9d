import { describe, expect } from 'bun:test'
import { X509Certificate } from 'node:crypto'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { openStage, type Stage, useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { blob, buildImage, buildIndex } from '../support/image-builder.ts'
import { program } from '../support/start-registry.ts'

const PROFILES = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/'
const SIGNATURE = 'application/vnd.cncf.notary.signature'

interface Descriptor {
  readonly digest: string
  readonly size: number
  readonly artifactType: string
}

interface Statuses {
  readonly signingStatuses: readonly { readonly signingProfileArn: string; readonly status: string }[]
}

describe('managed signing', () => {
  const stage = useStage({ repositories: ['prod/app', 'prod/other', 'dev/app'] })
  const aws = (...args: string[]) => run([client('aws'), 'ecr', ...args], { env: stage.awsEnvironment, cwd: stage.dir })

  const configure = (...rules: readonly (readonly [profile: string, ...filters: string[]])[]) => {
    const wireRules = rules.map(([profile, ...filters]) => ({
      signingProfileArn: PROFILES + profile,
      ...(filters.length === 0
        ? {}
        : { repositoryFilters: filters.map((filter) => ({ filter, filterType: 'WILDCARD_MATCH' })) }),
    }))
    return aws('put-signing-configuration', '--signing-configuration', JSON.stringify({ rules: wireRules }))
  }

  const statusOf = async (repository: string, digest: string) =>
    (
      JSON.parse(
        await aws(
          'describe-image-signing-status',
          '--repository-name',
          repository,
          '--image-id',
          `imageDigest=${digest}`,
        ),
      ) as Statuses
    ).signingStatuses

  const signed = async (repository: string, digest: string) => {
    for (;;) {
      const statuses = await statusOf(repository, digest)
      if (statuses.every(({ status }) => status !== 'IN_PROGRESS')) return statuses
    }
  }

  const referrersOf = async (repository: string, digest: string) =>
    ((await (await wire(stage, `${repository}/referrers/${digest}`)).json()) as { manifests: readonly Descriptor[] })
      .manifests

  testWith('aws', 'notation')(
    'notation accepts what was signed, by the exported certificate and no other',
    async () => {
      await configure(['release', 'prod/*'], ['audit', 'prod/app', 'never*'])
      const image = buildImage('managed')
      const { digest } = image.manifest
      const begunMs = performance.now()
      await push(stage, 'prod/app', image, 'v1')
      const statuses = await signed('prod/app', digest)
      expect(performance.now() - begunMs).toBeLessThan(30_000)
      expect(statuses).toEqual([
        { signingProfileArn: `${PROFILES}release`, status: 'COMPLETE' },
        { signingProfileArn: `${PROFILES}audit`, status: 'COMPLETE' },
      ])
      expect((await referrersOf('prod/app', digest)).map(({ artifactType }) => artifactType)).toEqual([
        SIGNATURE,
        SIGNATURE,
      ])

      const reference = `${stage.host}/prod/app@${digest}`
      const release = await notation(stage, 'release')
      expect(await release.run('ls', reference)).toContain(SIGNATURE)
      expect(await release.run('inspect', reference)).toContain('ECDSA-SHA-384')
      expect(await release.run('verify', reference)).toContain('Successfully verified')
      expect(await (await notation(stage, 'audit')).run('verify', reference)).toContain('Successfully verified')
      expect((await (await notation(stage, 'stranger')).attempt('verify', reference)).exitCode).not.toBe(0)
    },
  )

  testWith('aws', 'notation')('a signature is good for its image only', async () => {
    await configure(['release'])
    const image = buildImage('honest')
    await push(stage, 'prod/app', image, 'honest')
    await signed('prod/app', image.manifest.digest)
    const [signature] = await referrersOf('prod/app', image.manifest.digest)
    await aws('delete-signing-configuration')
    const forged = buildImage('forged')
    await push(stage, 'prod/app', forged, 'forged')
    const manifest = (await (await wire(stage, `prod/app/manifests/${signature?.digest}`)).json()) as object
    const { mediaType, digest, bytes } = forged.manifest
    const moved = { ...manifest, subject: { mediaType, digest, size: bytes.length } }
    const body = Buffer.from(JSON.stringify(moved))
    const headers = { 'content-type': 'application/vnd.oci.image.manifest.v1+json' }
    const put = await wire(stage, `prod/app/manifests/${blob('', body).digest}`, { method: 'PUT', headers, body })
    expect(put.status).toBe(201)
    const { run: runNotation, attempt: attemptNotation } = await notation(stage, 'release')
    const answer = await attemptNotation('verify', `${stage.host}/prod/app@${digest}`)
    expect(answer.exitCode).not.toBe(0)
    expect(await runNotation('verify', `${stage.host}/prod/app@${image.manifest.digest}`)).toContain('Successfully')
  })

  testWith('aws', 'notation')('an index is signed, and what is no image is not', async () => {
    await configure(['release', 'prod/other'])
    const index = buildIndex([
      buildImage('one'),
      buildImage('two', { platform: { os: 'linux', architecture: 'arm64' } }),
    ])
    await push(stage, 'prod/other', index, 'multi')
    expect(await signed('prod/other', index.manifest.digest)).toMatchObject([{ status: 'COMPLETE' }])
    const { run: runNotation } = await notation(stage, 'release')
    expect(await runNotation('verify', `${stage.host}/prod/other@${index.manifest.digest}`)).toContain('Successfully')

    const [signature] = await referrersOf('prod/other', index.manifest.digest)
    expect(await statusOf('prod/other', signature?.digest ?? '')).toEqual([])
    await push(stage, 'dev/app', buildImage('elsewhere'), 'v1')
    expect(await statusOf('dev/app', buildImage('elsewhere').manifest.digest)).toEqual([])
  })

  testWith('aws', 'oras')(
    'oras and ListImageReferrers show the signature, which is archived with its image',
    async () => {
      await configure(['release'])
      const image = buildImage('listed')
      const { digest } = image.manifest
      await push(stage, 'prod/app', image, 'listed')
      await signed('prod/app', digest)
      const listed = JSON.parse(
        await aws('list-image-referrers', '--repository-name', 'prod/app', '--subject-id', `imageDigest=${digest}`),
      ) as { referrers: readonly Descriptor[] }
      expect(listed.referrers).toMatchObject([{ artifactType: SIGNATURE }])
      const access = ['--plain-http', '--username', 'AWS', '--password', stage.password]
      const discovered = await run([client('oras'), 'discover', ...access, `${stage.host}/prod/app@${digest}`], {
        cwd: stage.dir,
      })
      expect(discovered).toContain(SIGNATURE)
      const update = [
        'update-image-storage-class',
        '--repository-name',
        'prod/app',
        '--target-storage-class',
        'ARCHIVE',
      ]
      await aws(...update, '--image-id', `imageDigest=${digest}`)
      const answer = await wire(stage, `prod/app/manifests/${listed.referrers[0]?.digest}`)
      expect(answer.status).toBe(404)
    },
  )

  testWith('aws')('an image that was pushed before is not signed, until it is pushed under another tag', async () => {
    await attempt([client('aws'), 'ecr', 'delete-signing-configuration'], { env: stage.awsEnvironment })
    const image = buildImage('early')
    const { digest } = image.manifest
    await push(stage, 'prod/app', image, 'early')
    await configure(['release'])
    expect(await statusOf('prod/app', digest)).toEqual([])
    await push(stage, 'prod/app', image, 'again')
    expect(await signed('prod/app', digest)).toMatchObject([{ status: 'COMPLETE' }])
    expect(await referrersOf('prod/app', digest)).toHaveLength(1)
  })
})

describe('managed signing after the process was killed', () => {
  testWith('aws')('what was asked for is signed by the next process', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'ecru-signing-'))
    // The push itself takes what a second allows, so that the signature has to wait.
    const strict = await openStage({ dataDir, repositories: ['app'], env: { ECRU_RATES: 'PutImage=1' } })
    const describing = (stage: Stage, digest: string) =>
      run(
        [
          ...[client('aws'), 'ecr', 'describe-image-signing-status', '--repository-name', 'app'],
          ...['--image-id', `imageDigest=${digest}`, '--query', 'signingStatuses[].status', '--output', 'text'],
        ],
        { env: stage.awsEnvironment },
      )
    const rules = { rules: [{ signingProfileArn: `${PROFILES}release` }] }
    const { manifest } = buildImage('crash')
    try {
      const configuring = [client('aws'), 'ecr', 'put-signing-configuration', '--signing-configuration']
      await run([...configuring, JSON.stringify(rules)], { env: strict.awsEnvironment })
      await push(strict, 'app', buildImage('crash'), 'v1')
      expect((await describing(strict, manifest.digest)).trim()).toBe('IN_PROGRESS')
      await strict.registry.kill()
      const next = await openStage({ dataDir })
      try {
        while ((await describing(next, manifest.digest)).trim() === 'IN_PROGRESS') await Bun.sleep(20)
        expect((await describing(next, manifest.digest)).trim()).toBe('COMPLETE')
        const referrers = (await (await wire(next, `app/referrers/${manifest.digest}`)).json()) as {
          manifests: object[]
        }
        expect(referrers.manifests).toHaveLength(1)
      } finally {
        await next.close()
      }
    } finally {
      await strict.close()
      await rm(dataDir, { recursive: true, force: true })
    }
  })
})

/** Notation with a home of its own, which trusts the certificate of one profile. */
async function notation(stage: Stage, profile: string) {
  const home = stage.path(`notation-${profile}`)
  await mkdir(home, { recursive: true })
  const env = { HOME: home, XDG_CONFIG_HOME: home, DOCKER_CONFIG: home }
  const arn = PROFILES + profile
  const certificate = await run([...program(), 'signing', 'certificate', arn, '--url', stage.url], {
    env: stage.awsEnvironment,
  })
  expect(new X509Certificate(certificate).subject).toContain(`CN=${profile}`)
  const pem = `${home}/${profile}.pem`
  await writeFile(pem, certificate)
  const policy = {
    version: '1.0',
    trustPolicies: [
      {
        name: 'profile',
        registryScopes: ['*'],
        signatureVerification: { level: 'strict' },
        trustStores: [`ca:${profile}`],
        trustedIdentities: [`x509.subject: C=ZZ, ST=us-east-1, O=000000000000, CN=${profile}`],
      },
    ],
  }
  await writeFile(`${home}/policy.json`, JSON.stringify(policy))
  const own = { env, cwd: home }
  const program_ = client('notation')
  await run([program_, 'cert', 'add', '--type', 'ca', '--store', profile, pem], own).catch(() => '')
  await run([program_, 'policy', 'import', '--force', `${home}/policy.json`], own)
  const access = ['--insecure-registry', '-u', 'AWS', '-p', stage.password]
  const command = ([verb = '', ...rest]: readonly string[]) => [program_, verb, ...access, ...rest]
  return {
    run: (...args: readonly string[]) => run(command(args), own),
    attempt: (...args: readonly string[]) => attempt(command(args), own),
  }
}
