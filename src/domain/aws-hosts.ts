import type { Region } from './names.ts'

/** The services that are answered here and have an endpoint in every region. */
const REGIONAL = ['sts', 'kms', 'secretsmanager', 'cloudtrail', 'events', 'monitoring', 'inspector2', 'iam']

/** The end of AWS's host names in a region. */
export function awsSuffix(region: Region): string {
  return region.startsWith('cn-') ? 'amazonaws.com.cn' : 'amazonaws.com'
}

/**
 * The host names by which AWS's own clients reach what is answered here, in these regions and where an endpoint is global;
 * as certificates write them, with `*` for the account.
 */
export function awsHosts(regions: readonly Region[]): readonly string[] {
  const ofRegions = regions.flatMap((region) => {
    const suffix = awsSuffix(region)
    const ecr = [
      `*.dkr.ecr.${region}.${suffix}`,
      `*.dkr.ecr-fips.${region}.${suffix}`,
      `*.dkr-ecr.${region}.on.aws`,
      `api.ecr.${region}.${suffix}`,
      `ecr.${region}.${suffix}`,
      `ecr-fips.${region}.${suffix}`,
      `ecr.${region}.api.aws`,
    ]
    return [...ecr, ...REGIONAL.map((service) => `${service}.${region}.${suffix}`)]
  })
  const global = ['sts.amazonaws.com', 'iam.amazonaws.com', 'public.ecr.aws', 'ecr-public.aws.com']
  const ecrPublic = ['api.ecr-public.us-east-1.amazonaws.com', 'ecr-public.us-east-1.api.aws']
  return [...new Set([...ofRegions, ...global, ...ecrPublic])]
}
