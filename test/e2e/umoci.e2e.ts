import { describe, expect } from 'bun:test'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { client, testWith } from '../support/clients/client-test.ts'
import { containersTool } from '../support/clients/private-mounts.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { digestsBelow, storedManifest } from '../support/clients/wire.ts'
import { noise, sha256 } from '../support/image-builder.ts'

const test = testWith('umoci', 'skopeo')

describe('an image made with umoci comes back as it went', () => {
  const stage = useStage({ repositories: ['um/app'] })

  test('two layers and a config, pushed and unpacked again', async () => {
    const umoci = (...args: string[]) => run([client('umoci'), ...args])
    const image = `${stage.path('layout')}:v1`
    await umoci('init', '--layout', stage.path('layout'))
    await umoci('new', '--image', image)
    for (const layer of ['first', 'second']) {
      const bundle = stage.path(`bundle-${layer}`)
      await umoci('unpack', '--image', image, bundle)
      await mkdir(`${bundle}/rootfs/data`, { recursive: true })
      await writeFile(`${bundle}/rootfs/data/${layer}`, noise(layer, 500_000))
      await umoci('repack', '--image', image, bundle)
    }
    await umoci('config', '--image', image, '--config.entrypoint', '/data/first', '--config.label', 'made.by=umoci')
    const skopeo = [...(await containersTool('skopeo', stage.dir)), '--insecure-policy', 'copy']
    const remote = `docker://${stage.host}/um/app:v1`
    const credentials = `AWS:${stage.password}`
    await run([...skopeo, '--dest-tls-verify=false', '--dest-creds', credentials, `oci:${image}`, remote])
    await run([...skopeo, '--src-tls-verify=false', '--src-creds', credentials, remote, `oci:${stage.path('back')}:v1`])
    const { digest } = await storedManifest(stage, 'um/app', 'v1')
    expect((await digestsBelow(stage.path('layout'))).has(digest)).toBe(true)
    await umoci('unpack', '--image', `${stage.path('back')}:v1`, stage.path('bundle-back'))
    for (const layer of ['first', 'second']) {
      expect(sha256(await readFile(stage.path(`bundle-back/rootfs/data/${layer}`)))).toBe(sha256(noise(layer, 500_000)))
    }
  })
})
