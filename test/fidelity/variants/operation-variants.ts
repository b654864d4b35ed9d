import type { ServiceModel } from '../../../src/protocols/aws/model.ts'
import { type Variant, variantsOf } from './input-variants.ts'
import { pagingVariants } from './paging-variants.ts'
import { type Sample, sampleAt } from './sample-inputs.ts'
import { subjectVariants } from './subject-variants.ts'

/** All variants of an operation's sample. */
export function operationVariants(model: ServiceModel, operation: string, sample: Sample): readonly Variant[] {
  return [
    ...variantsOf(model, operation, (path) => sampleAt(sample, path)),
    ...pagingVariants(model, operation, sample),
    ...subjectVariants(model, operation, sample),
  ]
}
