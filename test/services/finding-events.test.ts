import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import { type OsvRecord, osvRecord, RecordDirectory } from '../support/advisory-data.ts'
import { debian, pushFiles } from '../support/scannable-images.ts'
import { admin, createServices, refTo, registry, type Services } from '../support/service-fixture.ts'

const ref = refTo('app')
const high = [{ type: 'CVSS_V3', score: 'CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H' }]
const flaw = (n: number, name: string, fixed: string, more: object = {}): OsvRecord =>
  osvRecord(`DEBIAN-CVE-2026-${n}`, ['Debian:12', name, fixed], {
    upstream: [`CVE-2026-${n}`],
    severity: high,
    ...more,
  })

let services: Services
let directory: RecordDirectory
let from = 0

beforeEach(async () => {
  directory = new RecordDirectory()
  services = await createServices()
  const rules = [{ frequency: 'CONTINUOUS_SCAN', filters: ['*'] }] as const
  await services.scanConfigurations.put(admin, registry, { type: 'ENHANCED', rules })
  await services.repositories.create(admin, ref)
  from = 0
})
afterEach(async () => {
  await services.close()
  directory[Symbol.dispose]()
})

async function importNow(...records: readonly OsvRecord[]): Promise<void> {
  const at = services.clock.now()
  for (const record of records) directory.put({ ...record, modified: at.toISOString() })
  await services.advisories.import({ from: directory.path, at })
}

async function watch(pattern: object): Promise<void> {
  const rule = {
    registry,
    name: 'findings',
    pattern: JSON.stringify(pattern),
    state: 'ENABLED' as const,
    tags: [],
  }
  await services.metadata.transact(async (tx) => {
    const { id } = await tx.eventRules.put(rule)
    await tx.eventRules.putTarget(id, 'hook', { arn: 'arn:aws:ecru:eu-west-3:123456789012:event-target/x' }, 0)
  })
}

async function told(): Promise<readonly (readonly [status: string, title: string])[]> {
  const events = await services.metadata.view.outbox.list(from, 100)
  from = events.at(-1)?.position ?? from
  return events
    .filter(({ detailType }) => detailType === 'Inspector2 Finding')
    .map(({ detail }) => {
      const { status, title } = detail as { status: string; title: string }
      return [status, title] as const
    })
}

const scanNow = () => services.scanJobs.scanNow()

describe('findings of an enhanced scan', () => {
  test('are told when they come, change and are closed', async () => {
    await watch({ source: ['aws.inspector2'], 'detail-type': ['Inspector2 Finding'] })
    await importNow(flaw(1, 'openssl', '3.0.10-1'), flaw(2, 'bash', '5.3'))
    await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'], ['bash', '5.2'])], 'v1')
    await scanNow()
    expect(await told()).toEqual([
      ['ACTIVE', 'CVE-2026-2 - bash'],
      ['ACTIVE', 'CVE-2026-1 - openssl'],
    ])
    services.clock.advance(60_000)
    await importNow(flaw(1, 'openssl', '3.0.11-1'))
    await scanNow()
    expect(await told()).toEqual([['ACTIVE', 'CVE-2026-1 - openssl']])
    services.clock.advance(60_000)
    await importNow(flaw(1, 'openssl', '3.0.11-1', { withdrawn: services.clock.now().toISOString() }))
    await scanNow()
    expect(await told()).toEqual([['CLOSED', 'CVE-2026-1 - openssl']])
  })

  test('of one package for two architectures are two, each told only when it changes', async () => {
    await watch({ source: ['aws.inspector2'] })
    await importNow(flaw(1, 'openssl', '3.0.10-1'), flaw(2, 'openssl', '3.0.10-1'))
    const files = debian(['openssl', '3.0.9-1'])
    const status = String(files['var/lib/dpkg/status'])
    const both = `${status}\n${status.replace('amd64', 'i386')}`
    await pushFiles(services, ref, [{ ...files, 'var/lib/dpkg/status': both }], 'v1')
    await scanNow()
    expect((await told()).length).toBe(4)
    const arns = async () => {
      const found = await services.inspector.findings({ principal: admin, action: 'ListFindings', registry })
      return (await Array.fromAsync(found)).map(({ finding: { findingArn, updatedAt } }) => [findingArn, updatedAt])
    }
    const before = await arns()
    expect(new Set(before.map(([arn]) => arn)).size).toBe(4)
    services.clock.advance(60_000)
    await importNow(flaw(3, 'openssl', '3.0.10-1'))
    await scanNow()
    expect(await told()).toEqual([
      ['ACTIVE', 'CVE-2026-3 - openssl'],
      ['ACTIVE', 'CVE-2026-3 - openssl'],
    ])
    expect((await arns()).filter(([arn]) => before.some(([one]) => one === arn))).toEqual(before)
  })

  test('have the form of Inspector', async () => {
    await watch({ source: ['aws.inspector2'] })
    await importNow(flaw(1, 'openssl', '3.0.10-1'))
    const digest = await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])], 'v1')
    await scanNow()
    const events = await services.metadata.view.outbox.list(0, 100)
    const event = events.find(({ detailType }) => detailType === 'Inspector2 Finding')
    const imageArn = `arn:aws:ecr:eu-west-3:123456789012:repository/app/${digest}`
    expect(event).toMatchObject({
      source: 'aws.inspector2',
      resources: [imageArn],
      detail: {
        awsAccountId: '123456789012',
        firstObservedAt: services.clock.now().toISOString(),
        inspectorScore: 9.8,
        inspectorScoreDetails: { adjustedCvss: { score: 9.8, version: '3.1' } },
        packageVulnerabilityDetails: { vulnerabilityId: 'CVE-2026-1' },
        resources: [
          {
            id: imageArn,
            partition: 'aws',
            region: 'eu-west-3',
            type: 'AWS_ECR_CONTAINER_IMAGE',
            details: { awsEcrContainerImage: { imageTags: ['v1'], repositoryName: 'app' } },
          },
        ],
        severity: 'CRITICAL',
        status: 'ACTIVE',
        type: 'PACKAGE_VULNERABILITY',
      },
    })
  })

  test('that no rule waits for are not written down', async () => {
    await watch({ source: ['aws.inspector2'], detail: { severity: ['LOW'] } })
    await importNow(flaw(1, 'openssl', '3.0.10-1'))
    await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])], 'v1')
    await scanNow()
    expect(await told()).toEqual([])
    expect((await services.metadata.view.outbox.list(0, 100)).map(({ detailType }) => detailType)).toContain(
      'Inspector2 Scan',
    )
  })

  test('that are set aside are told as suppressed', async () => {
    await watch({ source: ['aws.inspector2'] })
    const rule = {
      id: 'a',
      vulnerability: 'CVE-2026-1',
      reason: 'not reachable',
      createdBy: 'me',
      createdAt: services.clock.now(),
    }
    await services.metadata.transact((tx) => tx.suppressions.put(registry, rule))
    await importNow(flaw(1, 'openssl', '3.0.10-1'))
    await pushFiles(services, ref, [debian(['openssl', '3.0.9-1'])], 'v1')
    await scanNow()
    expect(await told()).toEqual([['SUPPRESSED', 'CVE-2026-1 - openssl']])
  })
})
