import { isRegistryId, type RegistryId } from '../names.ts'
import type { Entity, EntityKind } from './entity.ts'

/** `arn:aws:iam::A:user/path/name` */
export function iamArn(
  partition: string,
  { accountId, kind, path, name }: Pick<Entity, 'accountId' | 'kind' | 'path' | 'name'>,
): string {
  return `arn:${partition}:iam::${accountId}:${kind}${path}${name}`
}

/** Whose ARN it is. */
export interface ParsedIamArn {
  readonly partition: string
  /** `aws`: a policy that AWS manages. */
  readonly accountId: RegistryId | 'aws'
  readonly kind: EntityKind
  readonly path: string
  readonly name: string
}

const ARN = /^arn:(aws[a-z-]*):iam::([0-9]{12}|aws):(user|group|role|policy|oidc-provider)(\/(?:[!-~]*\/)?)([^/]+)$/
const PROVIDER_ARN = /^arn:(aws[a-z-]*):iam::([0-9]{12}):oidc-provider\/([!-~]+)$/

/** Reads an ARN of IAM; `undefined` for anything else. */
export function parseIamArn(arn: string): ParsedIamArn | undefined {
  const provider = PROVIDER_ARN.exec(arn)
  if (provider !== null) {
    const [, partition = '', accountId = '', name = ''] = provider
    return isRegistryId(accountId) ? { partition, accountId, kind: 'oidc-provider', path: '/', name } : undefined
  }
  const [, partition = '', accountId = '', kind = '', path = '', name = ''] = ARN.exec(arn) ?? []
  if (name === '' || (accountId !== 'aws' && !isRegistryId(accountId))) return undefined
  if (accountId === 'aws' && kind !== 'policy') return undefined
  return { partition, accountId, kind: kind as EntityKind, path, name }
}
