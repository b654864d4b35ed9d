import { describe, expect, test } from 'bun:test'
import { parseRegion, parseRegistryId } from '../domain/names.ts'
import { parseReplicationSites, siteOf } from './replication-sites.ts'

const KEY = { accessKeyId: 'AKIASITE', secretAccessKeyFile: '/run/secrets/site' }
const site = { region: 'eu-west-1', endpoint: 'https://b.example.com', ...KEY }
const mistake = (...sites: object[]) => {
  try {
    parseReplicationSites(JSON.stringify(sites))
    return undefined
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message : String(thrown)
  }
}

describe('the file of replication sites', () => {
  test('maps a region, or an account in it, to an endpoint', () => {
    const account = { ...site, registryId: '222222222222', endpoint: 'https://c.example.com' }
    const sites = parseReplicationSites(JSON.stringify([site, account]))
    const find = (registryId: string, region: string) =>
      siteOf(sites, { registryId: parseRegistryId(registryId), region: parseRegion(region) })?.endpoint.host
    expect(find('111111111111', 'eu-west-1')).toBe('b.example.com')
    expect(find('222222222222', 'eu-west-1')).toBe('c.example.com')
    expect(find('222222222222', 'us-east-1')).toBeUndefined()
  })

  test('knows where ECR is', () => {
    const [ecr] = parseReplicationSites(
      JSON.stringify([{ region: 'eu-west-1', registryId: '222222222222', kind: 'ecr', ...KEY }]),
    )
    expect(ecr?.endpoint.host).toBe('222222222222.dkr.ecr.eu-west-1.amazonaws.com')
    expect(ecr?.api.host).toBe('api.ecr.eu-west-1.amazonaws.com')
  })

  test('says in one sentence what is wrong', () => {
    expect(mistake({ ...site, region: 'nowhere at all' })).toContain('region')
    expect(mistake({ ...site, endpoint: 'https://user:pass@b.example.com' })).toContain('endpoint')
    expect(mistake({ ...site, endpoint: 'https://b.example.com/path' })).toContain('endpoint')
    expect(mistake({ ...site, secretAccessKey: 'plain' })).toContain('secretAccessKey')
    expect(mistake({ region: 'eu-west-1', kind: 'ecr', ...KEY })).toContain('endpoint')
    expect(mistake(site, site)).toContain('two')
    expect(() => parseReplicationSites('{}')).toThrow('list')
    expect(() => parseReplicationSites('[')).toThrow('JSON')
  })
})
