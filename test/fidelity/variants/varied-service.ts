import ecrModel from '../../../models/ecr.json' with { type: 'json' }
import ecrPublicModel from '../../../models/ecr-public.json' with { type: 'json' }
import type { ServiceModel } from '../../../src/protocols/aws/model.ts'
import { type ApiService, REGION } from '../in-process-registry.ts'
import { ecrPublicSamples, seedEcrPublic } from './ecr-public-samples.ts'
import { ecrSamples, seedEcr } from './ecr-samples.ts'
import type { Sample, Samples, Seed, SeedCall } from './sample.ts'

/** A service whose operations are called with variants of good inputs. */
export interface VariedService {
  readonly service: Exclude<ApiService, 'secretsmanager'>
  readonly title: string
  readonly model: ServiceModel
  /** As ARNs of its repositories have it. */
  readonly arnRegion: string
  samples(seed: Seed): Samples
  /** Makes what the samples speak of. */
  seed(call: SeedCall): Promise<Seed>
}

export const ECR: VariedService = {
  service: 'ecr',
  title: 'Amazon ECR',
  model: ecrModel,
  arnRegion: REGION,
  samples: ecrSamples,
  seed: seedEcr,
}

export const ECR_PUBLIC: VariedService = {
  service: 'ecr-public',
  title: 'Amazon ECR Public',
  model: ecrPublicModel,
  arnRegion: '',
  samples: ecrPublicSamples,
  seed: seedEcrPublic,
}

/** The sample of an operation that is handled. */
export function sampleOf({ samples, title }: VariedService, operation: string, seed: Seed): Sample {
  const found = samples(seed)[operation]
  if (found === undefined) throw new Error(`${operation} of ${title} has no sample`)
  return found
}
