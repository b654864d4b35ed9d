import { afterAll, beforeAll, describe, expect } from 'bun:test'
import {
  DescribePullThroughCacheRulesCommand,
  ECRClient,
  ValidatePullThroughCacheRuleCommand,
} from '@aws-sdk/client-ecr'
import { testWith } from '../support/clients/client-test.ts'
import { useStage } from '../support/clients/stage.ts'
import { openTerraform, type Terraform } from '../support/clients/terraform.ts'
import { wire } from '../support/clients/wire.ts'
import { buildImage } from '../support/image-builder.ts'
import { UpstreamRegistry } from '../support/upstream-registry.ts'

const test = testWith('terraform', 'terraform-providers')
const TIMEOUT_MS = 600_000

describe('Terraform manages pull-through cache rules with their secrets', () => {
  const stage = useStage({ env: { ECRU_UPSTREAM_ALLOW_PRIVATE: 'true', ECRU_UPSTREAM_ALLOW_HTTP: 'true' } })
  let terraform: Terraform
  let upstream: UpstreamRegistry
  const variables = (more = {}) => ({ upstream: upstream.url.origin, ...more })
  const ecr = () =>
    new ECRClient({
      endpoint: stage.url,
      region: 'us-east-1',
      credentials: { accessKeyId: '000000000000', secretAccessKey: 'test' },
    })
  const rules = async () => (await ecr().send(new DescribePullThroughCacheRulesCommand({}))).pullThroughCacheRules ?? []

  beforeAll(async () => {
    upstream = await UpstreamRegistry.start()
  })
  afterAll(() => upstream.stop())

  test(
    'applies, and a second plan is empty',
    async () => {
      terraform = await openTerraform(stage, 'terraform-pull-through')
      expect(await terraform.apply(variables())).toBe('Apply complete! Resources: 10 added, 0 changed, 0 destroyed.')
      expect(await terraform.changes(variables())).toBeUndefined()
      expect((await terraform.output<{ found: unknown }>()).found).toEqual(['quay.io', '000000000000'])
      expect((await rules()).map(({ ecrRepositoryPrefix }) => ecrRepositoryPrefix)).toEqual([
        'ROOT',
        'hub',
        'other',
        'prom',
      ])
    },
    TIMEOUT_MS,
  )

  test(
    'what it has made works',
    async () => {
      upstream.addImage(buildImage('terraform'), 'team/app', 'v1')
      const verdict = await ecr().send(new ValidatePullThroughCacheRuleCommand({ ecrRepositoryPrefix: 'ROOT' }))
      expect(verdict.isValid).toBe(true)
      expect((await wire(stage, 'team/app/manifests/v1')).status).toBe(200)
    },
    TIMEOUT_MS,
  )

  test(
    'changes credentials in place, and a plan after that is empty',
    async () => {
      const changed = variables({ secret: 'two', token: 'second' })
      expect(await terraform.apply(changed)).toMatch(/^Apply complete! Resources: \d added, [1-3] changed/)
      expect(await terraform.changes(changed)).toBeUndefined()
      const hub = (await rules()).find(({ ecrRepositoryPrefix }) => ecrRepositoryPrefix === 'hub')
      expect(hub?.credentialArn).toContain('ecr-pullthroughcache/two')
      expect(await terraform.destroy(changed)).toBe('Destroy complete! Resources: 10 destroyed.')
      expect(await rules()).toEqual([])
      // What was cached stays.
      expect((await wire(stage, 'team/app/manifests/v1')).status).toBe(200)
    },
    TIMEOUT_MS,
  )
})
