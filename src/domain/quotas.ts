/** How much of each thing a registry holds. */
export interface Quotas {
  readonly repositoriesPerRegistry: number
  readonly imagesPerRepository: number
  readonly tagsPerImage: number
  readonly layerBytes: number
  /** In how many parts a layer may come. */
  readonly layerParts: number
  /** The least size of every part of a layer but the last, by the OCI interface; the ECR API always wants 5 MiB. */
  readonly layerPartBytesMin: number
  /** Basic scans of a registry in 24 hours. */
  readonly basicScansPerDay: number
  /** Bytes of layers that an address may pull in a month from public registries without a login. */
  readonly anonymousPullBytesPerMonth: number
}

/** What ECR grants by default (service quotas page). */
export const AWS_QUOTAS: Quotas = {
  repositoriesPerRegistry: 100_000,
  imagesPerRepository: 100_000,
  tagsPerImage: 1_000,
  layerBytes: 52_000 * 1024 * 1024,
  layerParts: 4_200,
  layerPartBytesMin: 5 * 1024 * 1024,
  basicScansPerDay: 100_000,
  anonymousPullBytesPerMonth: Number.MAX_SAFE_INTEGER,
}

/** What ECR Public grants by default, where that differs. */
export const AWS_PUBLIC_QUOTAS: Quotas = {
  ...AWS_QUOTAS,
  repositoriesPerRegistry: 10_000,
  layerBytes: 10_000 * 1024 * 1024,
  layerParts: 1_000,
  anonymousPullBytesPerMonth: 500_000_000_000,
}

/** What Ecru grants unless it is told to be as strict as ECR: nothing but the disk ends it. */
export const GENEROUS_QUOTAS: Quotas = {
  repositoriesPerRegistry: Number.MAX_SAFE_INTEGER,
  imagesPerRepository: Number.MAX_SAFE_INTEGER,
  tagsPerImage: 10_000,
  layerBytes: Number.MAX_SAFE_INTEGER,
  layerParts: Number.MAX_SAFE_INTEGER,
  layerPartBytesMin: 0,
  basicScansPerDay: Number.MAX_SAFE_INTEGER,
  anonymousPullBytesPerMonth: Number.MAX_SAFE_INTEGER,
}
