import type { RegistryId } from './names.ts'

/** Who is asking, as every plane knows it once the credentials were checked. */
export interface Principal {
  /** The account the caller belongs to. */
  readonly accountId: RegistryId
  /** `arn:aws:iam::A:root` or `arn:aws:iam::A:user/name`. */
  readonly arn: string
  /** AWS's `UserId`: the account for a root, an `AIDA…` id for a user. */
  readonly userId: string
  /** The access key behind the request, or behind the login token. */
  readonly accessKeyId: string
}

/** Whoever does not say who he is: welcome where pulls are public, and nowhere else. Its account is nobody's. */
export const ANONYMOUS: Principal = {
  accountId: 'anonymous' as RegistryId,
  arn: 'anonymous',
  userId: 'anonymous',
  accessKeyId: '',
}
