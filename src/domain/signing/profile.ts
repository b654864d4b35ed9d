import { partitionOf } from '../arn.ts'
import { invalidParameter } from '../errors.ts'
import { isRegion, isRegistryId, type Region, type Registry, type RegistryId } from '../names.ts'

/** The grammar that ECR's model gives for the ARN of a signing profile. */
const PATTERN = 'arn:aws(-[a-z]+)*:signer:[a-z0-9-]+:[0-9]{12}:\\/signing-profiles\\/[a-zA-Z0-9_]{2,}'
const PARTS = /^arn:(aws(?:-[a-z]+)*):signer:([a-z0-9-]+):([0-9]{12}):\/signing-profiles\/([a-zA-Z0-9_]{2,})$/
const LENGTH_MAX = 200

/** A signing profile: by whose key images are signed. */
export interface SigningProfile {
  readonly arn: string
  /** The account that owns it. */
  readonly accountId: RegistryId
  readonly region: Region
  readonly name: string
}

/** Parses the ARN of a signing profile. Throws `invalid-parameter`. */
export function parseSigningProfile(arn: string): SigningProfile {
  const [, partition, region = '', accountId = '', name = ''] = arn.length > LENGTH_MAX ? [] : (PARTS.exec(arn) ?? [])
  if (!isRegion(region) || !isRegistryId(accountId))
    throw invalidParameter('signingProfileArn', `must satisfy regular expression '${PATTERN}'`)
  if (partition !== partitionOf(region))
    throw invalidParameter('signingProfileArn', `The region ${region} is in the partition ${partitionOf(region)}`)
  return { arn, accountId, region, name }
}

/** The profile, if images of this registry can be signed by it. Throws `invalid-parameter`. */
export function parseProfileFor(arn: string, registry: Registry): SigningProfile {
  const profile = parseSigningProfile(arn)
  if (profile.region !== registry.region)
    throw invalidParameter(
      'signingProfileArn',
      `The signing profile must be in the region of the registry, which is ${registry.region}, not in ${profile.region}`,
    )
  return profile
}
