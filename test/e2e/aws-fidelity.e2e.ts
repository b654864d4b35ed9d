import { describe, expect } from 'bun:test'
import { client, testWith } from '../support/clients/client-test.ts'
import { run } from '../support/clients/run-command.ts'
import { useStage } from '../support/clients/stage.ts'
import { push, storedManifest, wire } from '../support/clients/wire.ts'
import { buildImage, writeOciLayout } from '../support/image-builder.ts'

describe('ECRU_FIDELITY=aws repeats what ECR does differently', () => {
  const stage = useStage({ env: { ECRU_FIDELITY: 'aws' }, repositories: ['f/app', 'f/other'] })
  const image = buildImage('fidelity')
  const layer = image.layers[0]?.digest ?? ''

  testWith()('PATCH answers 201, and the upload goes on', async () => {
    const begun = await wire(stage, 'f/app/blobs/uploads/', { method: 'POST' })
    const location = new URL(begun.headers.get('location') ?? '').pathname.slice('/v2/'.length)
    const patched = await wire(stage, location, { method: 'PATCH', body: 'hello' })
    expect([patched.status, patched.headers.get('range')]).toEqual([201, '0-4'])
    await wire(stage, location, { method: 'DELETE' })
  })

  testWith('crane', 'skopeo')('clients push and pull all the same', async () => {
    await writeOciLayout(stage.path('layout'), { v1: image })
    const env = { DOCKER_CONFIG: stage.path('docker'), REGISTRY_AUTH_FILE: stage.path('auth.json') }
    const login = { env, input: stage.password }
    await run([client('crane'), 'auth', 'login', stage.host, '-u', 'AWS', '--password-stdin'], login)
    await run([client('crane'), 'push', stage.path('layout'), `${stage.host}/f/app:crane`], { env })
    await run([client('skopeo'), 'login', '--tls-verify=false', '-u', 'AWS', '--password-stdin', stage.host], login)
    await run(
      [
        client('skopeo'),
        '--insecure-policy',
        'copy',
        '--dest-tls-verify=false',
        `oci:${stage.path('layout')}:v1`,
        `docker://${stage.host}/f/app:skopeo`,
      ],
      { env },
    )
    for (const tag of ['crane', 'skopeo'])
      expect((await storedManifest(stage, 'f/app', tag)).digest).toBe(image.manifest.digest)
  })

  testWith()('a mount becomes an upload, since the account has not asked for mounts', async () => {
    await push(stage, 'f/app', image, 'v1')
    const answer = await wire(stage, `f/other/blobs/uploads/?mount=${layer}&from=f/app`, { method: 'POST' })
    expect(answer.status).toBe(202)
    expect((await wire(stage, `f/other/blobs/${layer}`, { method: 'HEAD' })).status).toBe(404)
  })

  testWith()('layers are not deleted over /v2/', async () => {
    const answer = await wire(stage, `f/app/blobs/${layer}`, { method: 'DELETE' })
    expect(answer.status).toBe(405)
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNSUPPORTED' }] })
  })

  testWith()('tags are listed as plain text, a hundred at a time, behind opaque marks', async () => {
    const answer = await wire(stage, 'f/app/tags/list?n=1')
    expect(answer.headers.get('content-type')).toBe('text/plain; charset=utf-8')
    const next = /<([^>]+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] ?? ''
    expect(new URL(next).searchParams.get('last')).not.toBe('crane')
    const tooMany = await wire(stage, 'f/app/tags/list?n=1001')
    expect(tooMany.status).toBe(405)
    expect(await tooMany.json()).toMatchObject({
      errors: [
        {
          message:
            "Invalid parameter at 'maxResults' failed to satisfy constraint: 'Member must have value less than or equal to 1000'",
        },
      ],
    })
  })
})
