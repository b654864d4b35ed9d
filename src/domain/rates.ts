/** How many calls of an action, named without `ecr:`, an account may make in a region each second; any number where none is given. */
export type Rates = Readonly<Record<string, number>>

/** What ECR grants by default (service quotas page). */
export const AWS_RATES: Rates = {
  BatchCheckLayerAvailability: 1_000,
  BatchGetImage: 2_000,
  CompleteLayerUpload: 100,
  GetAuthorizationToken: 500,
  GetDownloadUrlForLayer: 3_000,
  InitiateLayerUpload: 100,
  PutImage: 10,
  UploadLayerPart: 500,
}

/** What counts pulls of those who do not say who they are. */
export const ANONYMOUS_PULL = 'AnonymousPull'

/** What ECR Public grants by default; pulls are counted as the reading of a manifest. */
export const AWS_PUBLIC_RATES: Rates = {
  /** By tag, from one address. */
  [ANONYMOUS_PULL]: 1,
  BatchCheckLayerAvailability: 200,
  BatchGetImage: 10,
  CompleteLayerUpload: 10,
  GetAuthorizationToken: 200,
  InitiateLayerUpload: 10,
  PutImage: 10,
  UploadLayerPart: 260,
}

/** What Ecru grants unless it is told to be as strict as ECR. */
export const UNLIMITED_RATES: Rates = {}
