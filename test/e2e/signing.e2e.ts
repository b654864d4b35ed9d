import { describe, expect } from 'bun:test'
import { mkdir, writeFile } from 'node:fs/promises'
import { client, testWith } from '../support/clients/client-test.ts'
import { attempt, run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'

interface Referrers {
  readonly manifests: readonly { readonly artifactType: string }[]
}

describe('signatures are kept beside the images they sign', () => {
  const stage = useStage({ repositories: ['sg/app'] })
  const signed = (seed: string) => ({
    image: buildImage(seed),
    reference: `${stage.host}/sg/app@${buildImage(seed).manifest.digest}`,
  })
  const environment = async () => {
    const config = stage.path('docker-config')
    await mkdir(config, { recursive: true })
    const auth = Buffer.from(`AWS:${stage.password}`).toString('base64')
    await writeFile(`${config}/config.json`, JSON.stringify({ auths: { [stage.host]: { auth } } }))
    return { DOCKER_CONFIG: config, COSIGN_PASSWORD: 'x', HOME: stage.dir, XDG_CONFIG_HOME: stage.path('xdg') }
  }
  const referrersOf = async (digest: string) =>
    ((await (await wire(stage, `sg/app/referrers/${digest}`)).json()) as Referrers).manifests
  const tags = async () => ((await (await wire(stage, 'sg/app/tags/list')).json()) as { tags: readonly string[] }).tags

  testWith('cosign')('cosign signs as a tag and as a referrer, and verifies both', async () => {
    const { image, reference } = signed('cosign')
    await push(stage, 'sg/app', image, 'v1')
    const own = { env: await environment(), cwd: stage.dir }
    const cosign = (...args: string[]) => run([client('cosign'), ...args], own)
    await cosign('generate-key-pair')
    const offline = [
      '--key',
      'cosign.key',
      '--tlog-upload=false',
      '--use-signing-config=false',
      '--allow-http-registry',
      '-y',
    ]
    const check = ['verify', '--key', 'cosign.pub', '--insecure-ignore-tlog', '--allow-http-registry']
    expect((await attempt([client('cosign'), ...check, reference], own)).exitCode).not.toBe(0)
    await cosign('sign', ...offline, '--new-bundle-format=false', reference)
    await cosign(...check, '--new-bundle-format=false', reference)
    expect(await tags()).toContain(`${image.manifest.digest.replace(':', '-')}.sig`)
    await cosign('sign', ...offline, reference)
    await cosign(...check, reference)
    expect(await referrersOf(image.manifest.digest)).not.toEqual([])
    expect(await tags()).not.toContain(image.manifest.digest.replace(':', '-'))
  })

  testWith('notation')('notation signs as a referrer, lists and verifies it', async () => {
    const { image, reference } = signed('notation')
    await push(stage, 'sg/app', image, 'v2')
    const own = { env: await environment(), cwd: stage.dir }
    const notation = (...args: string[]) => run([client('notation'), ...args], own)
    const access = ['--insecure-registry', '-u', 'AWS', '-p', stage.password]
    await notation('cert', 'generate-test', '--default', 'test.example')
    const policy = {
      version: '1.0',
      trustPolicies: [
        {
          name: 'test',
          registryScopes: ['*'],
          signatureVerification: { level: 'strict' },
          trustStores: ['ca:test.example'],
          trustedIdentities: ['*'],
        },
      ],
    }
    await writeFile(stage.path('policy.json'), JSON.stringify(policy))
    await notation('policy', 'import', stage.path('policy.json'))
    await notation('sign', ...access, reference)
    expect(await notation('ls', ...access, reference)).toContain('application/vnd.cncf.notary.signature')
    expect(await notation('verify', ...access, reference)).toContain('Successfully verified')
    const types = (await referrersOf(image.manifest.digest)).map(({ artifactType }) => artifactType)
    expect(types).toEqual(['application/vnd.cncf.notary.signature'])
  })
})
